package main

import (
	"context"
	"fmt"
	"log"
	"path/filepath"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// node is this machine in the cluster: scheduler and kubelet in one, as there is one node only.
type node struct {
	name   string
	port   int
	folder string
	client kubernetes.Interface

	mutex sync.Mutex
	pods  map[string]*pod // by namespace/name
}

func (n *node) register(ctx context.Context) error {
	if err := n.createNode(ctx); err != nil {
		return err
	}
	nodes := n.client.CoreV1().Nodes()
	found, err := nodes.Get(ctx, n.name, meta.GetOptions{})
	if err != nil {
		return err
	}
	found.Status.Addresses = []core.NodeAddress{{Type: core.NodeInternalIP, Address: "127.0.0.1"}}
	found.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(n.port)
	found.Status.Conditions = []core.NodeCondition{{
		Type: core.NodeReady, Status: core.ConditionTrue, Reason: "Test", LastHeartbeatTime: meta.Now(),
	}}
	_, err = nodes.UpdateStatus(ctx, found, meta.UpdateOptions{})
	return err
}

// The API server lets nobody in before its own bootstrap of rights is through: then it says forbidden.
func (n *node) createNode(ctx context.Context) error {
	for {
		wanted := &core.Node{ObjectMeta: meta.ObjectMeta{Name: n.name}}
		_, err := n.client.CoreV1().Nodes().Create(ctx, wanted, meta.CreateOptions{})
		if err == nil || errors.IsAlreadyExists(err) {
			return nil
		}
		if !errors.IsForbidden(err) || ctx.Err() != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// work follows the Pods of the cluster until ctx ends.
func (n *node) work(ctx context.Context) {
	for ctx.Err() == nil {
		if err := n.follow(ctx); err != nil && ctx.Err() == nil {
			log.Printf("pods: %v; looking again", err)
			time.Sleep(200 * time.Millisecond)
		}
	}
}

func (n *node) follow(ctx context.Context) error {
	pods := n.client.CoreV1().Pods("")
	list, err := pods.List(ctx, meta.ListOptions{})
	if err != nil {
		return err
	}
	for i := range list.Items {
		n.see(ctx, &list.Items[i])
	}
	events, err := pods.Watch(ctx, meta.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return err
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		found, isPod := event.Object.(*core.Pod)
		if !isPod {
			return errors.FromObject(event.Object)
		}
		if event.Type == watch.Deleted {
			n.forget(found)
		} else {
			n.see(ctx, found)
		}
	}
	return nil
}

// see brings one Pod a step further: bound to this node, started, ended.
func (n *node) see(ctx context.Context, found *core.Pod) {
	switch {
	case found.Spec.NodeName == "" && found.DeletionTimestamp == nil:
		if err := n.bind(ctx, found); err != nil {
			log.Printf("bind %s: %v", keyOf(found), err)
		}
	case found.Spec.NodeName != n.name:
	case found.DeletionTimestamp != nil:
		go n.remove(ctx, found)
	default:
		n.start(ctx, found)
	}
}

func (n *node) bind(ctx context.Context, found *core.Pod) error {
	binding := &core.Binding{
		ObjectMeta: meta.ObjectMeta{Namespace: found.Namespace, Name: found.Name, UID: found.UID},
		Target:     core.ObjectReference{Kind: "Node", Name: n.name},
	}
	return n.client.CoreV1().Pods(found.Namespace).Bind(ctx, binding, meta.CreateOptions{})
}

func (n *node) start(ctx context.Context, found *core.Pod) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if _, known := n.pods[keyOf(found)]; known || found.Status.Phase == core.PodSucceeded || found.Status.Phase == core.PodFailed {
		return
	}
	started := &pod{spec: found.DeepCopy(), folder: filepath.Join(n.folder, found.Namespace, found.Name)}
	n.pods[keyOf(found)] = started
	if err := started.start(func() { n.report(ctx, started) }); err != nil {
		log.Printf("start %s: %v", keyOf(found), err)
		started.trouble = err
	}
	go n.report(ctx, started)
}

// report tells the cluster what became of the Pod; the last word wins.
func (n *node) report(ctx context.Context, p *pod) {
	p.reporting.Lock()
	defer p.reporting.Unlock()
	for ctx.Err() == nil {
		pods := n.client.CoreV1().Pods(p.spec.Namespace)
		current, err := pods.Get(ctx, p.spec.Name, meta.GetOptions{})
		if err == nil && current.UID == p.spec.UID {
			current.Status = p.status(current.Status)
			_, err = pods.UpdateStatus(ctx, current, meta.UpdateOptions{})
		}
		if !errors.IsConflict(err) {
			if err != nil && !errors.IsNotFound(err) && ctx.Err() == nil {
				log.Printf("report %s: %v", keyOf(p.spec), err)
			}
			return
		}
	}
}

func (n *node) remove(ctx context.Context, found *core.Pod) {
	n.forget(found)
	now := int64(0)
	err := n.client.CoreV1().Pods(found.Namespace).Delete(ctx, found.Name, meta.DeleteOptions{
		GracePeriodSeconds: &now,
		Preconditions:      meta.NewUIDPreconditions(string(found.UID)),
	})
	if err != nil && !errors.IsNotFound(err) && ctx.Err() == nil {
		log.Printf("remove %s: %v", keyOf(found), err)
	}
}

func (n *node) forget(found *core.Pod) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if known, isKnown := n.pods[keyOf(found)]; isKnown && known.spec.UID == found.UID {
		known.kill()
		delete(n.pods, keyOf(found))
	}
}

func (n *node) killAll() {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	for _, known := range n.pods {
		known.kill()
	}
}

func (n *node) container(namespace, podName, name string) (*container, error) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	known, isKnown := n.pods[namespace+"/"+podName]
	if !isKnown {
		return nil, fmt.Errorf("no pod %s/%s runs here", namespace, podName)
	}
	for _, one := range known.containers {
		if one.spec.Name == name {
			return one, nil
		}
	}
	return nil, fmt.Errorf("no container %q runs in %s/%s", name, namespace, podName)
}

func keyOf(found *core.Pod) string {
	return found.Namespace + "/" + found.Name
}
