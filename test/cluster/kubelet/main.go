// A kubelet for tests: an honest node without containers. It registers a Node, takes every Pod that has none, runs the
// commands of its containers as processes of this machine in a folder of their own, and serves logs, exec, attach and
// port-forward through Kubernetes' own streaming package. What it cannot do (volumes, probes, environment from elsewhere)
// fails the Pod instead of being ignored.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API server")
	name := flag.String("node", "test-node", "name of the node")
	folder := flag.String("folder", "", "where the containers' folders are made")
	certificate := flag.String("cert", "", "PEM file of the certificate that the API server sees")
	key := flag.String("key", "", "PEM file of its key")
	authority := flag.String("ca", "", "PEM file of the authority that signs whoever may ask us")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	must(err)
	config.QPS, config.Burst = 200, 400
	client, err := kubernetes.NewForConfig(config)
	must(err)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	node := &node{name: *name, port: listener.Addr().(*net.TCPAddr).Port, folder: *folder, client: client, pods: map[string]*pod{}}
	server := &http.Server{Handler: newServer(node), TLSConfig: whoeverMayAsk(*authority)}
	go func() {
		if err := server.ServeTLS(listener, *certificate, *key); err != http.ErrServerClosed {
			log.Fatal(err)
		}
	}()
	must(node.register(ctx))
	log.Printf("node %s serves on port %d", node.name, node.port)
	node.work(ctx)

	node.killAll()
	late, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = server.Shutdown(late)
}

// Only the API server, by its client certificate: exec here is a program on this machine.
func whoeverMayAsk(authority string) *tls.Config {
	pem, err := os.ReadFile(authority)
	must(err)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		log.Fatalf("%s holds no certificate", authority)
	}
	return &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
