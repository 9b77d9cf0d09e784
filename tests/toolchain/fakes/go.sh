#!/bin/sh
# Stands in for Go: builds as FAKE_BUILD says, and writes down each call.
if [ "$1" = version ]; then
	echo "go version ${FAKE_GO_VERSION:-go1.26.0} linux/amd64"
	exit
fi
while [ "$1" != -o ]; do shift; done
output="$2"
echo "go build $(basename "$output")" >>"$FAKE_LOG"
case "$FAKE_BUILD" in
fails)
	echo "undefined: something" >&2
	exit 1
	;;
hangs)
	echo half >"$output"
	chmod +x "$output"
	echo "$output" >"$FAKE_LOG.building"
	sleep 300
	;;
slow) sleep 1 ;;
esac
cp "$FAKE_PULUMI" "$output"
echo "# built" >>"$output"
