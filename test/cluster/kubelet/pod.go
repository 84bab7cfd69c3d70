package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type pod struct {
	spec       *core.Pod
	folder     string
	containers []*container
	trouble    error

	reporting sync.Mutex
}

// start runs every container; changed is called when one ends.
func (p *pod) start(changed func()) error {
	spec := p.spec.Spec
	if len(spec.InitContainers) > 0 || len(spec.Volumes) > 0 {
		return errors.New("init containers and volumes are not supported here")
	}
	for _, one := range spec.Containers {
		started, err := startContainer(p.spec.Name, one, filepath.Join(p.folder, one.Name))
		if err != nil {
			p.kill()
			return fmt.Errorf("container %s: %w", one.Name, err)
		}
		p.containers = append(p.containers, started)
	}
	for _, one := range p.containers {
		go func() {
			<-one.ended
			changed()
		}()
	}
	return nil
}

func (p *pod) kill() {
	for _, one := range p.containers {
		one.kill()
	}
}

// status is what the cluster is told. Nothing is started again: restartPolicy is read as Never.
func (p *pod) status(before core.PodStatus) core.PodStatus {
	if p.trouble != nil {
		before.Phase, before.Reason, before.Message = core.PodFailed, "NotSupported", p.trouble.Error()
		return before
	}
	now := meta.NewTime(time.Now())
	running, failed := 0, 0
	before.ContainerStatuses = nil
	for _, one := range p.containers {
		state, isRunning := one.state()
		if isRunning {
			running++
		} else if state.Terminated.ExitCode != 0 {
			failed++
		}
		before.ContainerStatuses = append(before.ContainerStatuses, core.ContainerStatus{
			Name: one.spec.Name, Image: one.spec.Image, ImageID: one.spec.Image, ContainerID: "process://" + one.id(),
			Ready: isRunning, Started: &isRunning, State: state,
		})
	}
	switch {
	case running > 0:
		before.Phase = core.PodRunning
	case failed > 0:
		before.Phase = core.PodFailed
	default:
		before.Phase = core.PodSucceeded
	}
	before.HostIP, before.PodIP = "127.0.0.1", "127.0.0.1"
	before.PodIPs = []core.PodIP{{IP: "127.0.0.1"}}
	if before.StartTime == nil {
		before.StartTime = &now
	}
	ready := core.ConditionFalse
	if running == len(p.containers) {
		ready = core.ConditionTrue
	}
	before.Conditions = nil
	for _, kind := range []core.PodConditionType{core.PodScheduled, core.PodInitialized} {
		before.Conditions = append(before.Conditions, core.PodCondition{Type: kind, Status: core.ConditionTrue, LastTransitionTime: now})
	}
	for _, kind := range []core.PodConditionType{core.ContainersReady, core.PodReady} {
		before.Conditions = append(before.Conditions, core.PodCondition{Type: kind, Status: ready, LastTransitionTime: now})
	}
	return before
}
