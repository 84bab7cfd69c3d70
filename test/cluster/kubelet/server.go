package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

const idle = 4 * time.Hour

// newServer answers what the API server asks of a node, under the paths of the real kubelet.
func newServer(n *node) http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("/exec/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		options, err := remotecommand.NewOptions(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if _, err := n.containerOf(podOf(r), r.PathValue("container")); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		remotecommand.ServeExec(w, r, n, podOf(r), "", r.PathValue("container"), r.URL.Query()["command"], options,
			idle, remotecommand.DefaultStreamCreationTimeout, remotecommand.SupportedStreamingProtocols)
	})
	routes.HandleFunc("/attach/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		options, err := remotecommand.NewOptions(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if _, err := n.containerOf(podOf(r), r.PathValue("container")); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		remotecommand.ServeAttach(w, r, n, podOf(r), "", r.PathValue("container"), options,
			idle, remotecommand.DefaultStreamCreationTimeout, remotecommand.SupportedStreamingProtocols)
	})
	routes.HandleFunc("/portForward/{namespace}/{pod}", func(w http.ResponseWriter, r *http.Request) {
		options, err := portforward.NewV4Options(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		portforward.ServePortForward(w, r, n, podOf(r), "", options,
			idle, remotecommand.DefaultStreamCreationTimeout, portforward.SupportedProtocols)
	})
	routes.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", n.serveLogs)
	return routes
}

func podOf(r *http.Request) string {
	return r.PathValue("namespace") + "/" + r.PathValue("pod")
}

func (n *node) containerOf(podName, name string) (*container, error) {
	namespace, pod, _ := strings.Cut(podName, "/")
	return n.container(namespace, pod, name)
}

// PortForward connects to this machine: the Pods of this node share its network.
func (n *node) PortForward(ctx context.Context, podName, _ string, port int32, stream io.ReadWriteCloser) error {
	connection, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	if err != nil {
		return fmt.Errorf("port %d of %s: %w", port, podName, err)
	}
	defer connection.Close()
	go func() {
		_, _ = io.Copy(connection, stream)
		_ = connection.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stream, connection)
	return err
}

func (n *node) serveLogs(w http.ResponseWriter, r *http.Request) {
	one, err := n.containerOf(podOf(r), r.PathValue("container"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	asked := r.URL.Query()
	if asked.Get("previous") == "true" {
		http.Error(w, "previous terminated container not found", http.StatusBadRequest)
		return
	}
	lines := one.out.soFar()
	at := len(lines)
	if tail, err := strconv.Atoi(asked.Get("tailLines")); err == nil {
		lines = lines[max(0, len(lines)-tail):]
	}
	since := sinceOf(asked.Get("sinceTime"), asked.Get("sinceSeconds"))
	left := int64(-1)
	if limit, err := strconv.ParseInt(asked.Get("limitBytes"), 10, 64); err == nil {
		left = limit
	}
	w.Header().Set("Content-Type", "text/plain")
	for {
		for _, found := range lines {
			if found.at.Before(since) {
				continue
			}
			text := found.text
			if asked.Get("timestamps") == "true" {
				text = append([]byte(found.at.UTC().Format(time.RFC3339Nano)+" "), text...)
			}
			if left >= 0 {
				text = text[:min(int64(len(text)), left)]
				left -= int64(len(text))
			}
			if _, err := w.Write(text); err != nil || left == 0 {
				return
			}
		}
		w.(http.Flusher).Flush()
		if asked.Get("follow") != "true" {
			return
		}
		if lines = one.out.next(r.Context(), at); len(lines) == 0 {
			return
		}
		at += len(lines)
	}
}

func sinceOf(moment, seconds string) time.Time {
	if since, err := time.Parse(time.RFC3339, moment); err == nil {
		return since
	}
	if ago, err := strconv.Atoi(seconds); err == nil {
		return time.Now().Add(-time.Duration(ago) * time.Second)
	}
	return time.Time{}
}
