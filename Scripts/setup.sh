# Sourced by the other scripts: the system packages that snapcat is built with.

# Installs the Debian packages that are missing, with sudo where it is needed.
install_packages() {
    missing=""
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "snapcat needs these packages, and there is no apt-get to install them:$missing" >&2
        return 1
    fi
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    echo "Installing system packages:$missing" >&2
    $sudo apt-get update -qq >&2
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq $missing >&2
}

# What the build itself needs. On macOS: brew install isa-l.
install_build_packages() {
    case "$(uname -s)" in
    Linux) install_packages libsqlite3-dev zlib1g-dev libisal-dev pkg-config libedit2 ;;
    Darwin) brew list isa-l >/dev/null 2>&1 || brew install isa-l >&2 ;;
    esac
    if ! command -v swift >/dev/null 2>&1; then
        echo "snapcat needs a Swift 6.2 (or later) toolchain: https://www.swift.org/install" >&2
        return 1
    fi
}

# Builds the release program of the package in $1, unless it is newer than its sources. Says nothing but errors.
build_release() {
    release_binary="$1/.build/release/snapcat"
    if [ -x "$release_binary" ]; then
        newer=$(find "$1/Package.swift" "$1/Sources" "$1/Schema" -newer "$release_binary" -type f -print -quit)
        [ -n "$newer" ] || return 0
    fi
    install_build_packages
    echo "Building snapcat (some minutes the first time)..." >&2
    build_log=$(mktemp)
    if ! swift build --package-path "$1" -c release --static-swift-stdlib --product snapcat >"$build_log" 2>&1; then
        cat "$build_log" >&2
        rm -f "$build_log"
        return 2
    fi
    rm -f "$build_log"
    # Linking leaves an unchanged binary as it is: it is up to date all the same.
    touch "$release_binary"
}

# Makes the Python environment $1 with exactly the packages that follow, unless it was made with these.
make_python_environment() {
    environment=$1
    shift
    [ "$(cat "$environment/packages" 2>/dev/null)" = "$*" ] && return 0
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
    echo "$*" >"$environment/packages"
}
