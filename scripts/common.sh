# shellcheck shell=sh
# Functions of the scripts that build for other systems. Sourced from the repository's root.

say() { printf '%s\n' "$*" >&2; }

scratch=${PARTITA_SCRATCH:-target/scratch}

# Makes the standard library of a target available: from rustup, or, where it offers none, from the
# sources in Debian's package rust-src. Sets RUSTC in the second case.
need_std() {
    sysroot=$(rustc --print sysroot)
    [ ! -d "$sysroot/lib/rustlib/$1/lib" ] || [ -n "${PARTITA_STD_FROM_SOURCES:-}" ] || return 0
    if [ -z "${PARTITA_STD_FROM_SOURCES:-}" ] && rustup target add "$1"; then return 0; fi
    toolchain=$(mkdir -p "$scratch" && cd "$scratch" && pwd)/toolchain
    export RUSTC="$toolchain/bin/rustc"
    [ ! -d "$toolchain/lib/rustlib/$1/lib" ] || return 0
    std_from_sources "$1"
}

# Builds the standard library of a target into a copy of the toolchain. That needs unstable options,
# but programs are then built by stable means.
std_from_sources() {
    target=$1
    say "Building the standard library for $target from Debian's sources"
    if [ ! -d "$toolchain/lib/rustlib/src/rust/library" ]; then
        rm -rf "$toolchain"
        cp -a "$sysroot" "$toolchain"
        rust_sources "$scratch/rust-src.deb"
        rm -rf "$scratch/rust-src"
        dpkg-deb -x "$scratch/rust-src.deb" "$scratch/rust-src"
        mkdir -p "$toolchain/lib/rustlib/src/rust"
        cp -a "$scratch"/rust-src/usr/src/rustc-*/library "$toolchain/lib/rustlib/src/rust/library"
        rm -rf "$scratch/rust-src"
    fi
    crate=$scratch/empty
    mkdir -p "$crate/src"
    echo '#![no_std]' >"$crate/src/lib.rs"
    printf '[package]\nname = "empty"\nedition = "2024"\n[workspace]\n' >"$crate/Cargo.toml"
    (cd "$crate" && CARGO_TARGET_DIR=target RUSTC_BOOTSTRAP=1 cargo build --release --target "$target" \
        -Zbuild-std=std,panic_unwind,panic_abort,proc_macro,test)
    mkdir -p "$toolchain/lib/rustlib/$target/lib"
    cp "$crate/target/$target/release/deps/"*.rlib "$toolchain/lib/rustlib/$target/lib"
    rm -rf "$crate/target"
    case $target in
    *-windows-gnu)
        for object in rsbegin rsend; do
            RUSTC_BOOTSTRAP=1 "$RUSTC" --target "$target" --emit=obj \
                -o "$toolchain/lib/rustlib/$target/lib/$object.o" \
                "$toolchain/lib/rustlib/src/rust/library/rtstartup/$object.rs"
        done
        ;;
    esac
}

# Downloads Debian's package of the sources of this very version of Rust.
rust_sources() {
    pool=${DEBIAN_MIRROR:-http://deb.debian.org/debian}/pool/main/r/rustc
    version=$(rustc --version | cut -d' ' -f2)
    file=$(curl -fsSL "$pool/" | grep -o "rust-src_$version+dfsg[^\"<>]*_all.deb" | sort -u | tail -n 1)
    if [ -z "$file" ]; then
        say "Debian has no rust-src $version; set up another version of Rust, or run rustup target add"
        return 1
    fi
    curl -fsSL -o "$1" "$pool/$file"
}
