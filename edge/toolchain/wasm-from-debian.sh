#!/bin/sh
# wasm-from-debian.sh FOLDER: makes FOLDER/rustc, a compiler for wasm32-unknown-unknown, from Debian's packages
# rustc-web and rust-web-src. For machines where rustup cannot fetch the target. Nothing is installed: the packages are
# unpacked in FOLDER, and their standard library is compiled once for wasm32 (about a minute).
set -eu

folder=${1:?usage: wasm-from-debian.sh FOLDER}
target=wasm32-unknown-unknown
[ ! -x "$folder/rustc" ] || exit 0
[ "$(uname -m)" = x86_64 ] || {
  echo "wasm-from-debian: only for x86_64" >&2
  exit 1
}
command -v apt-get >/dev/null || {
  echo "wasm-from-debian: this needs apt-get" >&2
  exit 1
}

rm -rf "$folder"
mkdir -p "$folder/debs" "$folder/root"
folder=$(cd "$folder" && pwd)

# The newest compiler package and the LLVM that it is linked to.
library=$(apt-cache depends libstd-rust-web-dev | sed -n 's/.*Depends: \(libstd-rust-web-[0-9.]*\).*/\1/p' | head -n 1)
[ -n "$library" ] || {
  echo "wasm-from-debian: apt-get has no rustc-web; run apt-get update, as root" >&2
  exit 1
}
llvm=$(apt-cache depends "$library" | sed -n 's/.*Depends: \(libllvm[0-9]*\).*/\1/p' | head -n 1)
(cd "$folder/debs" && apt-get download -qq rustc-web "$library" libstd-rust-web-dev rust-web-src "$llvm")
for deb in "$folder"/debs/*.deb; do dpkg -x "$deb" "$folder/root"; done
rm -rf "$folder/debs"

usr=$folder/root/usr
# The unpacked compiler finds its libraries by this; cargo hands the rest on.
cat >"$folder/rustc.new" <<SH
#!/bin/sh
LD_LIBRARY_PATH=$usr/lib/x86_64-linux-gnu exec $usr/bin/rustc "\$@"
SH
chmod +x "$folder/rustc.new"

# The linker for wasm is the one of the toolchain that is here.
linkers=lib/rustlib/x86_64-unknown-linux-gnu/bin
mkdir -p "$usr/$linkers"
ln -sfn "$(rustc --print sysroot)/$linkers/rust-lld" "$usr/$linkers/rust-lld"

sources=$(readlink -f "$usr/lib/rustlib/src/rust")/library
commit=$("$folder/rustc.new" -vV | sed -n 's/^commit-hash: //p')
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT INT TERM
(
  cd "$sources"
  RUSTC=$folder/rustc.new RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$build CARGO_INCREMENTAL=0 \
    __CARGO_DEFAULT_LIB_METADATA=stablestd \
    RUSTFLAGS="-Zforce-unstable-if-unmarked -Cembed-bitcode=yes -Cpanic=abort --remap-path-prefix=$sources=/rustc/$commit/library --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
    cargo build --quiet --locked --release --target "$target" -p sysroot
)
mkdir -p "$usr/lib/rustlib/$target/lib"
cp "$build/$target/release/deps"/*.rlib "$usr/lib/rustlib/$target/lib/"
mv "$folder/rustc.new" "$folder/rustc"
"$folder/rustc" --version
