#!/bin/sh
# Makes the Debian package of ligase for this machine, target/debian/ligase_VERSION_ARCHITECTURE.deb, and
# prints where it is. It compiles ligase, unless it is told of a program that has been made already.
# It needs binutils and dpkg-dev, and nothing of it is put into the package but what stands here: the
# same sources and the same compiler make the same package.
# usage: deploy/debian/build.sh [PROGRAM [FOLDER]]
#
# PROGRAM is packaged instead of target/release/ligase, FOLDER is where to instead of target/debian.
# DEBFULLNAME and DEBEMAIL say who answers for the package, as for Debian's own tools; COMPRESSION is
# gzip instead of xz for a package that is wanted soon and thrown away.
set -eu
cd "$(dirname "$0")/../.."
umask 022

program=${1:-} folder=${2:-target/debian}
if [ -z "$program" ]; then
    cargo build --release --locked --package ligase
    program=${CARGO_TARGET_DIR:-target}/release/ligase
fi
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' Cargo.toml)-1
architecture=$(dpkg --print-architecture)
maintainer="${DEBFULLNAME:-The makers of ligase} <${DEBEMAIL:-ligase@ligase.invalid}>"
# When it was made is when it was last changed.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null ||
    stat --format %Y docs/CHANGELOG.md)}
export SOURCE_DATE_EPOCH

tree=$folder/tree
rm -rf "$tree" "$folder/shlibs"
mkdir -p "$tree/DEBIAN" "$folder/shlibs/debian"

# The program, and what it says of itself.
install -D --mode=755 --strip "$program" "$tree/usr/bin/ligase"
"$program" man --out "$tree/usr/share/man/man1"
gzip -9n "$tree"/usr/share/man/man1/*
while read -r shell path; do
    mkdir -p "$tree/$(dirname "$path")"
    "$program" completions "$shell" > "$tree/$path"
done <<'END'
bash usr/share/bash-completion/completions/ligase
zsh usr/share/zsh/vendor-completions/_ligase
fish usr/share/fish/vendor_completions.d/ligase.fish
END

install -D --mode=644 --target-directory="$tree/lib/systemd/system" \
    deploy/ligase.service deploy/ligase.socket
install -D --mode=644 --target-directory="$tree/etc/ligase" deploy/debian/ligase.yaml
mkdir "$tree/etc/ligase/tls"
install -D --mode=644 deploy/debian/lintian-overrides "$tree/usr/share/lintian/overrides/ligase"

# What there is to read.
doc=$tree/usr/share/doc/ligase
install -D --mode=644 --target-directory="$doc" deploy/debian/copyright README.md
cp -R docs "$doc"
install -D --mode=644 --target-directory="$doc/examples" deploy/ligase.yaml
cp -R deploy/prometheus deploy/grafana "$doc/examples"
rm "$doc/docs/CHANGELOG.md"
gzip -9nc docs/CHANGELOG.md > "$doc/changelog.gz"
gzip -9nc > "$doc/changelog.Debian.gz" <<END
ligase ($version) unstable; urgency=medium

  * What is new stands in changelog.gz.

 -- $maintainer  $(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")
END
# Name, version and license of each; where our own are on this machine is nobody's business.
cargo tree --locked --package ligase --edges normal --prefix none --format '{p} {l}' |
    sed 's/ ([^ ]*)//g' | sort -u | gzip -9n > "$doc/libraries.gz"

# What the program is linked with is asked of Debian itself.
printf 'Source: ligase\n\nPackage: ligase\nArchitecture: any\n' > "$folder/shlibs/debian/control"
depends=$(cd "$folder/shlibs" && dpkg-shlibdeps -O ../tree/usr/bin/ligase)
size=$(du --summarize --apparent-size --block-size=1024 "$tree" | cut -f 1)
sed -e "s|@VERSION@|$version|" -e "s|@ARCHITECTURE@|$architecture|" \
    -e "s|@MAINTAINER@|$maintainer|" -e "s|@SIZE@|$size|" \
    -e "s|@DEPENDS@|${depends#shlibs:Depends=}|" deploy/debian/control > "$tree/DEBIAN/control"
install --mode=755 --target-directory="$tree/DEBIAN" \
    deploy/debian/postinst deploy/debian/prerm deploy/debian/postrm
echo /etc/ligase/ligase.yaml > "$tree/DEBIAN/conffiles"
(cd "$tree" && find usr lib -type f -exec md5sum {} + | sort --key=2 > DEBIAN/md5sums)

chmod -R u=rwX,go=rX "$tree"
package=$folder/ligase_${version}_${architecture}.deb
dpkg-deb --root-owner-group "-Z${COMPRESSION:-xz}" --build "$tree" "$package" >&2
rm -rf "$tree" "$folder/shlibs"
echo "$package"
