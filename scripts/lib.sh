# Shared by the scripts beside it; sourced by bash, never run.
# shellcheck shell=bash

tapir_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit "${2:-1}"
}

# Runs a command as root: as it is, or by sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "$1 needs root: run $0 as root, or install sudo"
    fi
}

# Whether version $1 is at least version $2.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# The oldest Rust that builds the workspace.
rust_needed() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$tapir_root/Cargo.toml"; }

# Folders that a cargo may be in, the one in PATH first. Under sudo the caller's own is looked at too.
cargo_folders() {
    local found home
    found=$(command -v cargo || true)
    [ -z "$found" ] || dirname "$found"
    for home in "${HOME:-}" "$(getent passwd "${SUDO_USER:-}" 2>/dev/null | cut -d: -f6)"; do
        [ -z "$home" ] || echo "$home/.cargo/bin"
    done
    echo /usr/bin
}

# Puts a cargo that is new enough first in PATH and sets cargo_version. Fails where there is none.
use_cargo() {
    local folder version
    while read -r folder; do
        if ! [ -x "$folder/cargo" ] || ! [ -x "$folder/rustc" ]; then continue; fi
        # rustc decides: cargo may come from elsewhere.
        version=$(PATH="$folder:$PATH" "$folder/rustc" --version 2>/dev/null | cut -d' ' -f2) || continue
        if [ -n "$version" ] && at_least "$version" "$(rust_needed)"; then
            export PATH="$folder:$PATH"
            # Read by whoever sources this file.
            # shellcheck disable=SC2034
            cargo_version=$version
            return 0
        fi
    done < <(cargo_folders)
    return 1
}
