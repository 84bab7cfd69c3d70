package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// output is everything that a container has written: lines for logs, and the running bytes for whoever is attached.
type output struct {
	mutex    sync.Mutex
	changed  *sync.Cond
	lines    []line
	streams  []*stream
	ended    bool
	watchers map[*watcher]struct{}
}

type line struct {
	at   time.Time
	text []byte
}

type watcher struct{ out, err io.Writer }

func newOutput() *output {
	made := &output{watchers: map[*watcher]struct{}{}}
	made.changed = sync.NewCond(&made.mutex)
	return made
}

// stream is stdout or stderr. A line counts once it has ended, as it does in a container runtime's log.
func (o *output) stream(isError bool) io.Writer {
	made := &stream{output: o, isError: isError}
	o.streams = append(o.streams, made)
	return made
}

type stream struct {
	output  *output
	isError bool
	started []byte
}

func (s *stream) Write(data []byte) (int, error) {
	o := s.output
	o.mutex.Lock()
	for rest := data; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			s.started = append(s.started, rest...)
			break
		}
		o.lines = append(o.lines, line{at: time.Now(), text: append(s.started, rest[:end]...)})
		s.started, rest = nil, rest[end:]
	}
	watchers := slices.Collect(maps.Keys(o.watchers))
	o.changed.Broadcast()
	o.mutex.Unlock()
	for _, one := range watchers {
		to := one.out
		if s.isError && one.err != nil {
			to = one.err
		}
		if to != nil {
			_, _ = to.Write(data)
		}
	}
	return len(data), nil
}

func (o *output) end() {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	for _, one := range o.streams {
		if len(one.started) > 0 {
			o.lines = append(o.lines, line{at: time.Now(), text: one.started})
		}
	}
	o.ended = true
	o.changed.Broadcast()
}

// next waits for the lines from number `from` on; none: there will be no more, or the reader is gone.
func (o *output) next(ctx context.Context, from int) []line {
	stop := context.AfterFunc(ctx, o.changed.Broadcast)
	defer stop()
	o.mutex.Lock()
	defer o.mutex.Unlock()
	for len(o.lines) <= from && !o.ended && ctx.Err() == nil {
		o.changed.Wait()
	}
	return slices.Clone(o.lines[min(from, len(o.lines)):])
}

func (o *output) soFar() []line {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return slices.Clone(o.lines)
}

// watch passes on what is written from now on; the function that it returns ends it.
func (o *output) watch(out, err io.Writer) func() {
	one := &watcher{out, err}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.watchers[one] = struct{}{}
	return func() {
		o.mutex.Lock()
		defer o.mutex.Unlock()
		delete(o.watchers, one)
	}
}
