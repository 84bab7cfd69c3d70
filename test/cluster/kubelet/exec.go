package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"

	"github.com/creack/pty"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// ExecInContainer runs a program beside the container's own; podName is namespace/name.
func (n *node) ExecInContainer(ctx context.Context, podName, _, name string, words []string, in io.Reader, out, err io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	one, found := n.containerOf(podName, name)
	if found != nil {
		return found
	}
	command := one.command(words)
	run := runWithPipes
	if tty {
		run = runWithTerminal
	}
	ended := run(command, in, out, err, resize, func(pid int) func() { return one.beside(pid) })
	var exit *exec.ExitError
	if errors.As(ended, &exit) {
		code := exit.ExitCode()
		if status, isStatus := exit.Sys().(syscall.WaitStatus); isStatus && status.Signaled() {
			code = 128 + int(status.Signal())
		}
		return utilexec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", code), Code: code}
	}
	return ended
}

// beside remembers a process group until it has ended: it must not outlive the container.
func (c *container) beside(group int) func() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.others[group] = struct{}{}
	return func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		delete(c.others, group)
	}
}

type runner func(command *exec.Cmd, in io.Reader, out, err io.Writer, resize <-chan remotecommand.TerminalSize, began func(pid int) func()) error

var _, _ runner = runWithPipes, runWithTerminal

func runWithPipes(command *exec.Cmd, in io.Reader, out, err io.Writer, _ <-chan remotecommand.TerminalSize, began func(pid int) func()) error {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if out != nil {
		command.Stdout = out
	}
	if err != nil {
		command.Stderr = err
	}
	if in != nil {
		// Not command.Stdin: Wait would wait for the client to end its input.
		pipe, trouble := command.StdinPipe()
		if trouble != nil {
			return trouble
		}
		go func() {
			_, _ = io.Copy(pipe, in)
			_ = pipe.Close()
		}()
	}
	if trouble := command.Start(); trouble != nil {
		return trouble
	}
	defer began(command.Process.Pid)()
	return command.Wait()
}

func runWithTerminal(command *exec.Cmd, in io.Reader, out, _ io.Writer, resize <-chan remotecommand.TerminalSize, began func(pid int) func()) error {
	command.Env = append(command.Env, "TERM=xterm")
	terminal, trouble := pty.Start(command)
	if trouble != nil {
		return trouble
	}
	defer terminal.Close()
	defer began(command.Process.Pid)()
	go func() {
		for size := range resize {
			_ = pty.Setsize(terminal, &pty.Winsize{Rows: size.Height, Cols: size.Width})
		}
	}()
	if in != nil {
		go func() {
			_, _ = io.Copy(terminal, in)
			// Nobody sits at the terminal any more: what runs there hears SIGHUP.
			_ = terminal.Close()
		}()
	}
	shown := make(chan struct{})
	go func() {
		if out != nil {
			_, _ = io.Copy(out, terminal)
		}
		close(shown)
	}()
	ended := command.Wait()
	select {
	case <-shown:
	case <-time.After(time.Second): // something that it left behind holds the terminal
	}
	return ended
}

// AttachContainer joins what the container's own process reads and writes, until it ends or the client is gone.
func (n *node) AttachContainer(ctx context.Context, podName, _, name string, in io.Reader, out, err io.WriteCloser, _ bool, resize <-chan remotecommand.TerminalSize) error {
	one, found := n.containerOf(podName, name)
	if found != nil {
		return found
	}
	stop := one.out.watch(writerOf(out), writerOf(err))
	defer stop()
	go func() {
		for size := range resize {
			if one.tty != nil {
				_ = pty.Setsize(one.tty, &pty.Winsize{Rows: size.Height, Cols: size.Width})
			}
		}
	}()
	if in != nil && one.stdin != nil {
		go func() {
			_, _ = io.Copy(one.stdin, in)
			if one.spec.StdinOnce {
				_ = one.stdin.Close()
			}
		}()
	}
	select {
	case <-one.ended:
	case <-ctx.Done():
	}
	return nil
}

func writerOf(stream io.WriteCloser) io.Writer {
	if stream == nil {
		return nil
	}
	return stream
}
