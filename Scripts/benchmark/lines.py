"""Invented files: names like those of a real tree, in sorted order, and the lines that snapshooter writes for them."""

from json.encoder import encode_basestring_ascii
from random import Random
from typing import Iterator

WORDS = (
    "account archive asset backup balance base batch bench billing binding blob branch bridge budget buffer build "
    "bundle cache calendar catalog chapter chart client cluster codec common config contract control core corpus "
    "count course cover customer data deploy design detail device diagram draft driver editor energy engine entry "
    "error event example export factory feature field figure filter finance folder font form frame gallery garden "
    "graph grid guide handler header helper history house icon image import index input invoice item journal kernel "
    "label language layout ledger letter library license light list loader logger machine manual map market matrix "
    "measure media meeting memory menu message method metric minutes model module monitor network node notes number "
    "object offer order output package page paper parser patch payment person photo picture pipeline plan plugin "
    "policy portrait poster preview print process product profile project protocol query queue raster reader receipt "
    "record region release report request resource result review route sample scan schedule schema script season "
    "section sensor series server service session setting sheet signal sketch snapshot socket source space stage "
    "state stock storage stream street style summary survey switch symbol system table target task template terminal "
    "test text theme thread ticket timer token topic trace track travel tree tutorial type unit update user util "
    "value vector vendor version video view visit volume wave weather widget window worker writer zone résumé año"
).split()
SUFFIXES = (
    ".c .h .py .py .js .json .md .txt .txt .html .css .xml .yaml .jpg .jpg .jpg .png .pdf .docx .csv .log .o .svg "
    ".tar.gz .swift .rs"
).split() + [""]

# 2024-01-01 and the three years after it.
FIRST_SECOND, SECONDS = 1_704_067_200, 94_608_000


def names(count: int, random: Random) -> Iterator[str]:
    """`count` different names in code-point order; memory follows the depth of the tree."""
    return _folder("", count, 0, random)


def _folder(prefix: str, count: int, depth: int, random: Random) -> Iterator[str]:
    files = count if count < 30 or depth > 9 else min(count, int(random.expovariate(1 / 20)))
    parts = _split(count - files, random)
    children: dict[str, int] = {}
    while len(children) < files:
        children[_file_name(random)] = 0
    folders = 0
    while folders < len(parts):
        name = _folder_name(random) + "/"
        if name not in children and name[:-1] not in children:
            children[name] = parts[folders]
            folders += 1
    for name in sorted(children):
        if name.endswith("/"):
            yield from _folder(prefix + name, children[name], depth + 1, random)
        else:
            yield prefix + name


def _split(count: int, random: Random) -> list[int]:
    """Shares of some subfolders, each at least 1."""
    if count == 0:
        return []
    folders = min(1 + count // 12, random.randint(2, 16))
    weights = [random.random() + 0.05 for _ in range(folders)]
    scale = (count - folders) / sum(weights)
    parts = [1 + int(weight * scale) for weight in weights]
    parts[0] += count - sum(parts)
    return parts


def _file_name(random: Random) -> str:
    bits = random.getrandbits(48)
    word, other = WORDS[bits % len(WORDS)], WORDS[(bits >> 8) % len(WORDS)]
    suffix = SUFFIXES[(bits >> 16) % len(SUFFIXES)]
    match (bits >> 22) % 4:
        case 0:
            return f"{word}{(bits >> 24) % 100}{suffix}"
        case 1:
            return f"{word}-{(bits >> 24) % 10_000:04d}{suffix}"
        case 2:
            return f"{word.capitalize()}{other.capitalize()}{(bits >> 24) % 100}{suffix}"
        case _:
            return f"{word}_{other}_{(bits >> 24) % 100_000}{suffix}"


def _folder_name(random: Random) -> str:
    bits = random.getrandbits(32)
    word = WORDS[bits % len(WORDS)]
    match (bits >> 8) % 4:
        case 0:
            return f"{word}-{(bits >> 10) % 1000}"
        case 1:
            return f"{2000 + (bits >> 10) % 27}-{1 + (bits >> 15) % 12:02d}"
        case 2:
            return f"{word}_{WORDS[(bits >> 10) % len(WORDS)]}"
        case _:
            return word


class LineMaker:
    """Lines as snapshooter writes them; files that are written together have near inodes and times."""

    def __init__(self, random: Random):
        self._random = random
        self._inode = 1_000_000
        self._second = FIRST_SECOND

    def line(self, name: str, epoch: int = 0) -> bytes:
        """A line for a new content of `name`; with `epoch` it was written so many seconds after all first ones."""
        bits = self._random.getrandbits(224)
        content = bits & ((1 << 128) - 1)
        if bits >> 220 == 0:
            # One content in sixteen is that of other files too.
            content = (content & 0xFFF) * 0x9E3779B97F4A7C15F39CC0605CEDC835 & ((1 << 128) - 1)
        # The size follows from the content, as it must: spread over all magnitudes up to 4 MB.
        size = (content >> 8) & ((1 << (7 + content % 16)) - 1)
        mode = 33261 if content >> 124 == 0 else 33188
        self._inode += 1 + (bits >> 128) % 3
        if (bits >> 130) % 16 == 0:
            self._second = FIRST_SECOND + (bits >> 134) % SECONDS
        created = (FIRST_SECOND + SECONDS + epoch if epoch else self._second) + 1e-9 * ((bits >> 164) % 1_000_000_000)
        # What came out of an archive has the archive's time, in whole seconds.
        modified = created if epoch or (bits >> 196) % 2 == 0 else float(self._second - 86_400)
        return (
            f'{{"created": {created!r}, "gid": 1000, "ino": {self._inode}, "islink": false, '
            f'"md5": "{content:032x}", "mode": {mode}, "mtime": {modified!r}, '
            f'"name": {encode_basestring_ascii(name)}, "nlink": 1, "size": {size}, "type": "file", "uid": 1000}}'
        ).encode("ascii")
