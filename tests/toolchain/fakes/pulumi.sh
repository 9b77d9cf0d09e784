#!/bin/sh
# Stands in for npm's `pulumi` wrapper and for the CLI: downloads as FAKE_DOWNLOAD says, and writes down each call.
echo "pulumi $*" >>"$FAKE_LOG"
case "$1" in
version) target="$PULUMI_HOME/versions/3.259.0/bin" programs="pulumi pulumi-language-nodejs" ;;
plugin) target="$PULUMI_HOME/plugins/resource-$4-v$5" programs="pulumi-resource-$4" ;;
esac
deliver() {
	mkdir -p "$target"
	for program in $programs; do
		cp "$0" "$target/$program"
		echo "# downloaded" >>"$target/$program"
	done
}
case "$FAKE_DOWNLOAD" in
works) deliver ;;
slow)
	# Moves without a word for longer than the tests' patience.
	for step in 1 2 3 4 5 6 7 8 9 10; do
		echo "$step" >>"$TMPDIR/archive"
		sleep 0.4
	done
	deliver
	;;
hangs)
	echo "Downloading..." >&2
	sleep 300 &
	echo $! >"$FAKE_LOG.hanging"
	wait
	;;
incomplete)
	mkdir -p "$target"
	echo half >"$target/half"
	;;
*)
	echo "connection refused" >&2
	exit 1
	;;
esac
