package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// container is one process of a Pod, and what is needed to start more beside it.
type container struct {
	spec    core.Container
	podName string
	folder  string
	env     []string
	out     *output
	// What attach writes to; nil unless the container asks for stdin.
	stdin   io.WriteCloser
	tty     *os.File
	copied  chan struct{} // with a tty: everything that it showed is in out
	process *exec.Cmd
	started time.Time
	ended   chan struct{}

	mutex sync.Mutex
	// Process groups beside the first one: what exec started.
	others map[int]struct{}
}

func startContainer(podName string, spec core.Container, folder string) (*container, error) {
	if len(spec.VolumeMounts) > 0 || len(spec.EnvFrom) > 0 {
		return nil, fmt.Errorf("volumeMounts and envFrom are not supported here")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	one := &container{spec: spec, podName: podName, folder: folder, out: newOutput(), started: time.Now(), ended: make(chan struct{}), others: map[int]struct{}{}}
	one.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TMPDIR=" + folder, "HOSTNAME=" + podName, "LC_ALL=C.UTF-8"}
	for _, variable := range spec.Env {
		if variable.ValueFrom != nil {
			return nil, fmt.Errorf("env %s: valueFrom is not supported here", variable.Name)
		}
		one.env = append(one.env, variable.Name+"="+variable.Value)
	}
	words := append(append([]string{}, spec.Command...), spec.Args...)
	if len(words) == 0 {
		// There is no image that would know what to run.
		words = []string{"sleep", "infinity"}
	}
	one.process = one.command(words)
	if err := one.run(); err != nil {
		return nil, err
	}
	go func() {
		_ = one.process.Wait()
		if one.copied != nil {
			<-one.copied
		}
		one.out.end()
		close(one.ended)
	}()
	return one, nil
}

func (c *container) run() error {
	if c.spec.TTY {
		c.process.Env = append(c.process.Env, "TERM=xterm")
		terminal, err := pty.Start(c.process)
		if err != nil {
			return err
		}
		c.tty = terminal
		if c.spec.Stdin {
			c.stdin = terminal
		}
		c.copied = make(chan struct{})
		shown := c.out.stream(false)
		go func() {
			_, _ = io.Copy(shown, terminal)
			close(c.copied)
		}()
		return nil
	}
	c.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.process.Stdout, c.process.Stderr = c.out.stream(false), c.out.stream(true)
	if c.spec.Stdin {
		pipe, err := c.process.StdinPipe()
		if err != nil {
			return err
		}
		c.stdin = pipe
	}
	return c.process.Start()
}

// command is a program as it runs in this container.
func (c *container) command(words []string) *exec.Cmd {
	command := exec.Command(words[0], words[1:]...)
	command.Dir, command.Env = c.folder, append([]string{}, c.env...)
	command.WaitDelay = time.Second
	return command
}

// kill ends the process and everything that exec started beside it.
func (c *container) kill() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	killGroup(c.process.Process.Pid)
	for group := range c.others {
		killGroup(group)
	}
}

func killGroup(group int) {
	_ = syscall.Kill(-group, syscall.SIGKILL)
}

func (c *container) id() string {
	return strconv.Itoa(c.process.Process.Pid)
}

func (c *container) state() (core.ContainerState, bool) {
	started := meta.NewTime(c.started)
	select {
	case <-c.ended:
		code, reason := c.process.ProcessState.ExitCode(), "Completed"
		if status, isStatus := c.process.ProcessState.Sys().(syscall.WaitStatus); isStatus && status.Signaled() {
			code = 128 + int(status.Signal())
		}
		if code != 0 {
			reason = "Error"
		}
		return core.ContainerState{Terminated: &core.ContainerStateTerminated{
			ExitCode: int32(code), Reason: reason, StartedAt: started, FinishedAt: meta.Now(),
		}}, false
	default:
		return core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: started}}, true
	}
}
