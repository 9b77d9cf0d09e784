package remote

import (
	"github.com/pulumi/pulumi-go-provider/infer"
)

const (
	defaultUser                  = "root"
	defaultPort                  = 22
	defaultDialErrorLimit        = 10
	defaultPerDialTimeoutSeconds = 15
)

// Endpoint is one host to log in to.
type Endpoint struct {
	Host               string   `pulumi:"host"`
	Port               *float64 `pulumi:"port,optional"`
	User               *string  `pulumi:"user,optional"`
	PrivateKey         *string  `pulumi:"privateKey,optional"`
	PrivateKeyPassword *string  `pulumi:"privateKeyPassword,optional"`
	Password           *string  `pulumi:"password,optional"`
	AgentSocketPath    *string  `pulumi:"agentSocketPath,optional"`
	HostKey            *string  `pulumi:"hostKey,optional"`
	DialErrorLimit     *int     `pulumi:"dialErrorLimit,optional"`
	PerDialTimeout     *int     `pulumi:"perDialTimeout,optional"`
}

// Connection is how to reach the host that commands run on.
type Connection struct {
	Endpoint
	Proxy *ProxyConnection `pulumi:"proxy,optional"`
}

// ProxyConnection is the host through which that one is reached.
type ProxyConnection struct {
	Endpoint
}

// Annotate describes the fields and their defaults in the schema.
func (endpoint *Endpoint) Annotate(annotator infer.Annotator) {
	annotator.Describe(&endpoint.Host, "The address of the host to connect to.")
	annotator.Describe(&endpoint.Port, "The port to connect to.")
	annotator.SetDefault(&endpoint.Port, defaultPort)
	annotator.Describe(&endpoint.User, "The user to log in as.")
	annotator.SetDefault(&endpoint.User, defaultUser)
	annotator.Describe(&endpoint.PrivateKey, "The contents of a private SSH key; preferred to the password.")
	annotator.Describe(&endpoint.PrivateKeyPassword, "The passphrase of the private key.")
	annotator.Describe(&endpoint.Password, "The password to log in with.")
	annotator.Describe(&endpoint.AgentSocketPath, "The socket of an SSH agent; by default that of SSH_AUTH_SOCK.")
	annotator.Describe(&endpoint.HostKey,
		"The host's public key as in known_hosts, without the names. Any key is accepted if it is missing.")
	annotator.Describe(&endpoint.DialErrorLimit, "How many failed attempts to connect are forgiven; -1 for any number.")
	annotator.SetDefault(&endpoint.DialErrorLimit, defaultDialErrorLimit)
	annotator.Describe(&endpoint.PerDialTimeout, "How many seconds one attempt may take; 0 for any time.")
	annotator.SetDefault(&endpoint.PerDialTimeout, defaultPerDialTimeoutSeconds)
}

// Annotate describes the type in the schema.
func (connection *Connection) Annotate(annotator infer.Annotator) {
	annotator.Describe(&connection, "How to connect to a remote host.")
	annotator.Describe(&connection.Proxy, "The bastion host to connect through.")
}

// Annotate describes the type in the schema.
func (proxy *ProxyConnection) Annotate(annotator infer.Annotator) {
	annotator.Describe(&proxy, "How to connect to the bastion host.")
}

func valueOr[T any](pointer *T, fallback T) T {
	if pointer == nil {
		return fallback
	}
	return *pointer
}
