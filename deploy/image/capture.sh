#!/bin/sh
# Copies what speaks to the packet filter from Debian's packages into a tree: nft and iptables, the
# libraries that they load, and who holds the rights in them. No shell, and nothing to install with.
# usage: capture.sh DEBIAN MULTIARCH TREE
set -eu
debian=${1%/} multiarch=$2 tree=$3

# Where Debian has had everything for years; the old names lead there.
for folder in bin sbin lib lib64; do
    mkdir -p "$tree/usr/$folder"
    ln -s "usr/$folder" "$tree/$folder"
done
copied=''

# Copies a file under the name that it is known by, and what it needs before it.
copy() {
    file=$1
    [ ! -e "$tree$file" ] || return 0
    mkdir -p "$tree$(dirname "$file")"
    cp -L "$debian$file" "$tree$file"
    copied="$copied $file"
    # The rest of this function may come back to itself, and its variables are everybody's.
    for needed in $(LC_ALL=C readelf --dynamic "$debian$file" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p'); do
        case $needed in
            ld-linux-x86-64.so.2) copy "/lib64/$needed" ;;
            ld-linux-aarch64.so.1) copy "/lib/$needed" ;;
            *) copy "/lib/$multiarch/$needed" ;;
        esac
    done
}

copy /usr/sbin/nft
copy /usr/sbin/xtables-nft-multi
copy /usr/sbin/xtables-legacy-multi
for extension in "$debian/usr/lib/$multiarch"/xtables/*.so; do
    copy "${extension#"$debian"}"
done
for tables in iptables ip6tables; do
    for form in '' -save -restore; do
        ln -s xtables-nft-multi "$tree/usr/sbin/$tables$form"
        ln -s xtables-nft-multi "$tree/usr/sbin/$tables-nft$form"
        ln -s xtables-legacy-multi "$tree/usr/sbin/$tables-legacy$form"
    done
done

# dpkg knows each of these files with /usr before it, or without.
database=$debian/var/lib/dpkg
short() {
    sed 's|^/usr/|/|' | sort -u
}
echo "$copied" | tr ' ' '\n' | sed 1d | short > "$tree/../copied"
# It is content only if it knows both names of each. Unquoted, because they are lists.
# shellcheck disable=SC2046
dpkg-query --admindir="$database" --search $(cat "$tree/../copied") \
    $(sed 's|^|/usr|' "$tree/../copied") 2>/dev/null > "$tree/../owners" || true
unknown=$(sed 's/.*: //' "$tree/../owners" | short | comm -13 - "$tree/../copied")
[ -z "$unknown" ] || { echo "capture.sh: no package has $unknown" >&2; exit 1; }
sed 's/:.*//' "$tree/../owners" | sort -u > "$tree/../packages"

# A program that looks for known faults reads in status.d which packages an image is made of.
mkdir -p "$tree/var/lib/dpkg/status.d"
while read -r package; do
    mkdir -p "$tree/usr/share/doc/$package"
    cp -L "$debian/usr/share/doc/$package/copyright" "$tree/usr/share/doc/$package/"
    dpkg-query --admindir="$database" --status "$package" > "$tree/var/lib/dpkg/status.d/$package"
done < "$tree/../packages"
rm "$tree/../copied" "$tree/../owners"
