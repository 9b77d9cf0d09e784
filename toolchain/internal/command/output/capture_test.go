package output

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, capture *Capture, stream, text string) {
	t.Helper()
	writer := capture.Stdout
	if stream == "stderr" {
		writer = capture.Stderr
	}
	if _, err := fmt.Fprint(writer, text); err != nil {
		t.Fatal(err)
	}
}

func TestLoggingChoosesWhatIsShownNotWhatIsCaptured(t *testing.T) {
	choose := func(logging Logging) *Logging { return &logging }
	for name, test := range map[string]struct {
		logging *Logging
		shown   []string
	}{
		"default":         {nil, []string{"out", "err"}},
		"stdout":          {choose(Stdout), []string{"out"}},
		"stderr":          {choose(Stderr), []string{"err"}},
		"stdoutAndStderr": {choose(StdoutAndStderr), []string{"out", "err"}},
		"none":            {choose(None), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var shown []string
			capture := NewCapture(test.logging, func(line string) { shown = append(shown, line) })
			write(t, capture, "stdout", "out\n")
			write(t, capture, "stderr", "err\n")
			capture.Finish()
			if !slices.Equal(shown, test.shown) {
				t.Errorf("shown %q, expected %q", shown, test.shown)
			}
			if stdout, stderr := capture.Outputs(); stdout != "out" || stderr != "err" {
				t.Errorf("captured %q and %q", stdout, stderr)
			}
		})
	}
}

func TestLinesAreShownWholeWhateverPiecesTheyComeIn(t *testing.T) {
	var shown []string
	capture := NewCapture(nil, func(line string) { shown = append(shown, line) })
	for _, piece := range []string{"on", "e\ntwo\nth", "ree"} {
		write(t, capture, "stdout", piece)
	}
	if expected := []string{"one", "two"}; !slices.Equal(shown, expected) {
		t.Errorf("shown %q before the end, expected %q", shown, expected)
	}
	capture.Finish()
	if expected := []string{"one", "two", "three"}; !slices.Equal(shown, expected) {
		t.Errorf("shown %q, expected %q", shown, expected)
	}
}

func TestEndlessLineIsCutWhenShownAndKeptWhole(t *testing.T) {
	longest := 0
	capture := NewCapture(nil, func(line string) { longest = max(longest, len(line)) })
	text := strings.Repeat("x", 3*longestLine+1)
	write(t, capture, "stdout", text)
	capture.Finish()
	if longest != longestLine {
		t.Errorf("shown %d characters at once, expected %d", longest, longestLine)
	}
	if stdout, _ := capture.Outputs(); stdout != text {
		t.Errorf("captured %d characters of %d", len(stdout), len(text))
	}
}

func TestStreamsAreKeptTogetherInTheirOrder(t *testing.T) {
	capture := NewCapture(nil, func(string) {})
	write(t, capture, "stdout", "1\n")
	write(t, capture, "stderr", "2\n")
	write(t, capture, "stdout", "3\n\n")
	if together := capture.Together(); together != "1\n2\n3\n\n" {
		t.Errorf("together %q", together)
	}
	if stdout, _ := capture.Outputs(); stdout != "1\n3\n" {
		t.Errorf("only one line end is cut off: %q", stdout)
	}
}

func TestPreviousOutputIsPassedOnUnlessDeclined(t *testing.T) {
	result := Result{Stdout: "out"}
	yes, no := true, false
	for _, test := range []struct {
		add      *bool
		expected string
	}{{nil, "out"}, {&yes, "out"}, {&no, ""}} {
		environment := result.Environment(test.add)
		if environment[PreviousStdout] != test.expected {
			t.Errorf("passed on %q, expected %q", environment[PreviousStdout], test.expected)
		}
		if _, set := environment[PreviousStderr]; set {
			t.Error("an empty stream is passed on")
		}
	}
}
