#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes libsonde.so and libsonde-agent.so out of a build folder that holds libSondePreload.a.
#
# usage: link.sh BUILD_FOLDER [OUTPUT_FOLDER]       both files are written to OUTPUT_FOLDER, which
#                                                   is the build folder unless given
set -eu
build=${1:?usage: link.sh BUILD_FOLDER [OUTPUT_FOLDER]}
output=${2:-$build}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
archive=$build/libSondePreload.a
if [ ! -f "$archive" ]; then
    echo "cannot link libsonde.so: got no $archive; want it built by: swift build --product SondePreload" >&2
    exit 1
fi
mkdir -p "$output"

# The loader: C and libc alone.
clang -std=gnu2x -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -fPIC -shared -fvisibility=hidden \
    -Wl,-soname,libsonde.so -Wl,--version-script="$here/exports.map" -Wl,-z,now -Wl,-z,relro \
    -o "$output/libsonde.so.new" "$here/preload.c"

# The agent: with a Swift runtime of its own, whose names stay inside. -Bsymbolic and the version
# script keep it apart from the runtime of a program that is written in Swift as well.
# The archive is the whole of the agent; only what the entry needs is linked.
clang -std=gnu2x -O2 -g -Wall -Wextra -Werror -fPIC -c -o "$output/entry.o" "$here/entry.c"
swiftc -emit-library -static-stdlib -o "$output/libsonde-agent.so.new" \
    "$output/entry.o" "$archive" -lcurl -lz \
    -Xlinker --version-script="$here/exports.map" \
    -Xlinker -Bsymbolic -Xlinker --gc-sections -Xlinker -z -Xlinker now \
    -Xlinker -soname -Xlinker libsonde-agent.so
rm -f "$output/entry.o" "$output/main.autolink"

# A program that is just starting sees the old file or the new one, never a part.
mv -f "$output/libsonde-agent.so.new" "$output/libsonde-agent.so"
mv -f "$output/libsonde.so.new" "$output/libsonde.so"
