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
