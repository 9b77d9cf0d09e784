package output

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// longestLine is where a line without an end is cut when it is shown: the engine takes messages of 4 MiB at most.
const longestLine = 64 * 1024

// Capture keeps a command's streams, apart and in the order in which they came, and shows their lines.
type Capture struct {
	// Stdout and Stderr are what the command writes to.
	Stdout, Stderr io.Writer

	mutex                    sync.Mutex
	stdout, stderr, together bytes.Buffer
	shown                    []*lineWriter
}

// NewCapture shows, line by line, the streams that logging names.
func NewCapture(logging *Logging, show func(line string)) *Capture {
	capture := &Capture{}
	capture.Stdout = capture.stream(&capture.stdout, logging.showsStdout(), show)
	capture.Stderr = capture.stream(&capture.stderr, logging.showsStderr(), show)
	return capture
}

func (capture *Capture) stream(buffer *bytes.Buffer, shown bool, show func(string)) io.Writer {
	writers := []io.Writer{buffer, &capture.together}
	if shown {
		lines := &lineWriter{show: show}
		capture.shown = append(capture.shown, lines)
		writers = append(writers, lines)
	}
	return &lockedWriter{mutex: &capture.mutex, writer: io.MultiWriter(writers...)}
}

// Finish shows what is left of a last line without an end. Nothing may be written afterwards.
func (capture *Capture) Finish() {
	capture.mutex.Lock()
	defer capture.mutex.Unlock()
	for _, lines := range capture.shown {
		lines.flush()
	}
}

// Outputs is what the command printed, without the last line's end.
func (capture *Capture) Outputs() (stdout, stderr string) {
	capture.mutex.Lock()
	defer capture.mutex.Unlock()
	return strings.TrimSuffix(capture.stdout.String(), "\n"), strings.TrimSuffix(capture.stderr.String(), "\n")
}

// Together is both streams in the order in which they came, for messages.
func (capture *Capture) Together() string {
	capture.mutex.Lock()
	defer capture.mutex.Unlock()
	return capture.together.String()
}

// lockedWriter lets two streams, each copied by its own goroutine, share buffers.
type lockedWriter struct {
	mutex  *sync.Mutex
	writer io.Writer
}

func (locked *lockedWriter) Write(bytes []byte) (int, error) {
	locked.mutex.Lock()
	defer locked.mutex.Unlock()
	return locked.writer.Write(bytes)
}

// lineWriter shows whole lines.
type lineWriter struct {
	show    func(string)
	pending []byte
}

func (lines *lineWriter) Write(written []byte) (int, error) {
	lines.pending = append(lines.pending, written...)
	for {
		end := bytes.IndexByte(lines.pending, '\n')
		if end < 0 {
			break
		}
		lines.show(string(lines.pending[:end]))
		lines.pending = lines.pending[end+1:]
	}
	for len(lines.pending) > longestLine {
		lines.show(string(lines.pending[:longestLine]))
		lines.pending = lines.pending[longestLine:]
	}
	return len(written), nil
}

func (lines *lineWriter) flush() {
	if len(lines.pending) > 0 {
		lines.show(string(lines.pending))
		lines.pending = nil
	}
}
