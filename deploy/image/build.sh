#!/bin/sh
# Makes the files of both images: target/image/ARCH/ligase, and target/image/ARCH/capture with what
# speaks to the packet filter besides. deploy/Dockerfile and deploy/Dockerfile.capture copy them.
# Wants Rust, a C compiler, Python 3, and on Debian: ca-certificates, nftables and iptables.
# The same commit, built by the same toolchain, gives the same files.
# usage: deploy/image/build.sh [amd64|arm64]
set -eu
cd "$(dirname "$0")/../.."

die() {
    echo "build.sh: $*" >&2
    exit 1
}

# It is used once a build, so it need not be fast.
install_cyclonedx() {
    env -u RUSTFLAGS CARGO_PROFILE_DEV_DEBUG=false \
        cargo install --quiet --locked --debug --root "$target/tools" cargo-cyclonedx@0.5.9
}

case $(uname -m) in
    x86_64) host=amd64 ;;
    aarch64) host=arm64 ;;
    *) host=$(uname -m) ;;
esac
arch=${1:-$host}
# Pages of arm64 are as large as its kernel likes, up to 64 KiB; the allocator has to be told.
[ "$arch" != arm64 ] || export JEMALLOC_SYS_WITH_LG_PAGE=16
case $arch in
    amd64) triple=x86_64-unknown-linux-gnu multiarch=x86_64-linux-gnu ;;
    arm64) triple=aarch64-unknown-linux-gnu multiarch=aarch64-linux-gnu ;;
    *) die "no image is made for $arch: amd64 or arm64" ;;
esac

# The Debian of that architecture from which the capture image is made.
debian=${LIGASE_DEBIAN:-/}
if [ "$arch" = "$host" ]; then
    compiler=cc tools=''
else
    compiler=$multiarch-gcc tools=$multiarch-
    name=$(echo "$triple" | tr a-z- A-Z_)
    export "CARGO_TARGET_${name}_LINKER=$compiler" "CC_$(echo "$triple" | tr - _)=$compiler"
    [ "$debian" != / ] || die "$arch is not this machine's: LIGASE_DEBIAN must name a folder" \
        "with a Debian for $arch that has nftables, iptables, ca-certificates and libc6-dev"
fi
command -v "$compiler" >/dev/null ||
    die "there is no $compiler: install gcc, or for another architecture gcc-$multiarch"
[ -e "$(rustc --print target-libdir --target "$triple")" ] ||
    die "Rust's standard library for $triple is missing: rustup target add $triple"
command -v python3 >/dev/null || die "there is no python3, which writes the SBOM"
for file in etc/ssl/certs/ca-certificates.crt usr/sbin/nft usr/sbin/xtables-nft-multi; do
    [ -e "${debian%/}/$file" ] ||
        die "there is no ${debian%/}/$file: install ca-certificates, nftables and iptables"
done

revision=$(git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || echo unknown)
export LIGASE_REVISION="${LIGASE_REVISION:-$revision}"
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
# No date is in the program, but what asks for one is built again when it is another.
unset SOURCE_DATE_EPOCH

# A target of its own keeps the flags from build scripts and macros. No path of this machine is to
# be in the program.
target=${CARGO_TARGET_DIR:-target}
export RUSTFLAGS="-C target-feature=+crt-static \
--remap-path-prefix=$PWD=/ligase --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
cargo build --release --locked --package ligase --target "$triple"
program=$target/$triple/release/ligase
if "${tools}readelf" --program-headers "$program" | grep -q INTERP; then
    die "$program is not static"
fi
# What is static must not ask for users or hosts by the C library, which would look for plug-ins.
nss=$("${tools}nm" "$program" | awk '$NF ~ /^(getaddrinfo|gethostby.*|getpw.*|getgr(nam|gid).*)$/')
[ -z "$nss" ] || die "$program looks up names by the C library: $nss"

image=target/image/$arch
rm -rf "$image"
mkdir -p "$image"
umask 022
tree=$image/ligase
for folder in etc/ligase/config etc/ligase/tls etc/ligase/dialback etc/ssl/certs \
    var/lib/ligase tmp usr/share/sbom usr/share/doc/ligase; do
    mkdir -p "$tree/$folder"
done
# Whoever the program runs as may write there; a volume in memory takes over what may be done.
chmod 1777 "$tree/tmp" "$tree/var/lib/ligase"
"${tools}objcopy" --strip-all "$program" "$tree/ligase"
# Where each line of the program is, for whoever has to read a backtrace.
"${tools}objcopy" --only-keep-debug "$program" "$image/ligase.debug"
cp -L "${debian%/}/etc/ssl/certs/ca-certificates.crt" "$tree/etc/ssl/certs/"
cp -Rp "$tree" "$image/capture"
deploy/image/capture.sh "$debian" "$multiarch" "$image/capture"

# What is in both images, for people and for programs that look for known faults.
cyclonedx=$target/tools/bin/cargo-cyclonedx
[ -x "$cyclonedx" ] || install_cyclonedx
trap 'rm -f crates/*/ligase-image.json tests/ligase-image.json' EXIT
SOURCE_DATE_EPOCH=$epoch "$cyclonedx" cyclonedx --manifest-path crates/proxy/Cargo.toml \
    --target "$triple" --no-build-deps --quiet \
    --format json --spec-version 1.5 --override-filename ligase-image
python3 deploy/image/sbom.py crates/proxy/ligase-image.json "$triple" "$debian" "$image"

cat > "$image/arguments" <<ARGUMENTS
TARGETARCH=$arch
VERSION=$(cargo pkgid --package ligase | sed 's/.*[#@]//')
REVISION=$LIGASE_REVISION
CREATED=$(date --utc --date "@$epoch" +%Y-%m-%dT%H:%M:%SZ)
SOURCE_DATE_EPOCH=$epoch
ARGUMENTS
find "$image" -exec touch --no-dereference --date "@$epoch" {} +
du -sh "$image/ligase" "$image/capture"
