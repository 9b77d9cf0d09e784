package remote

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// address is host and port, as net.Dial takes them.
func (endpoint Endpoint) address() string {
	port := strconv.Itoa(int(valueOr(endpoint.Port, defaultPort)))
	return net.JoinHostPort(endpoint.Host, port)
}

// String names the endpoint in messages.
func (endpoint Endpoint) String() string {
	return valueOr(endpoint.User, defaultUser) + "@" + endpoint.address()
}

// timeout of one attempt to connect; 0 for none.
func (endpoint Endpoint) timeout() time.Duration {
	return time.Duration(valueOr(endpoint.PerDialTimeout, defaultPerDialTimeoutSeconds)) * time.Second
}

// login prepares everything that can be wrong before anything is dialled. The function it returns closes the
// connection to the agent, when the login is done.
func (endpoint Endpoint) login() (*ssh.ClientConfig, func(), error) {
	config := &ssh.ClientConfig{User: valueOr(endpoint.User, defaultUser)}
	if err := endpoint.expectHostKey(config); err != nil {
		return nil, nil, err
	}
	if endpoint.PrivateKey != nil {
		signer, err := endpoint.signer()
		if err != nil {
			return nil, nil, err
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if endpoint.Password != nil {
		config.Auth = append(config.Auth, ssh.Password(*endpoint.Password), ssh.KeyboardInteractive(endpoint.answer))
	}
	done := func() {}
	if socket := valueOr(endpoint.AgentSocketPath, os.Getenv("SSH_AUTH_SOCK")); socket != "" {
		connection, err := net.Dial("unix", socket)
		if err != nil {
			return nil, nil, fmt.Errorf("connect to the SSH agent: %w", err)
		}
		done = func() { _ = connection.Close() }
		config.Auth = append(config.Auth, ssh.PublicKeysCallback(agent.NewClient(connection).Signers))
	}
	return config, done, nil
}

func (endpoint Endpoint) signer() (ssh.Signer, error) {
	key := []byte(*endpoint.PrivateKey)
	var signer ssh.Signer
	var err error
	if endpoint.PrivateKeyPassword == nil {
		signer, err = ssh.ParsePrivateKey(key)
	} else {
		signer, err = ssh.ParsePrivateKeyWithPassphrase(key, []byte(*endpoint.PrivateKeyPassword))
	}
	if err != nil {
		return nil, fmt.Errorf("the private key for %s can't be read: %w", endpoint, err)
	}
	return signer, nil
}

// answer gives the password to whatever a keyboard-interactive login asks.
func (endpoint Endpoint) answer(_, _ string, questions []string, _ []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for index := range answers {
		answers[index] = *endpoint.Password
	}
	return answers, nil
}

// expectHostKey accepts the given key only, and negotiates keys of its kind only: a server has several.
func (endpoint Endpoint) expectHostKey(config *ssh.ClientConfig) error {
	if endpoint.HostKey == nil {
		config.HostKeyCallback = ssh.InsecureIgnoreHostKey() //nolint:gosec // as the official plugin; documented
		return nil
	}
	expected, _, _, _, err := ssh.ParseAuthorizedKey([]byte(*endpoint.HostKey))
	if err != nil {
		return fmt.Errorf("the host key for %s can't be read: %w", endpoint, err)
	}
	config.HostKeyAlgorithms = []string{expected.Type()}
	if expected.Type() == ssh.KeyAlgoRSA {
		config.HostKeyAlgorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	config.HostKeyCallback = func(_ string, _ net.Addr, presented ssh.PublicKey) error {
		if string(presented.Marshal()) == string(expected.Marshal()) {
			return nil
		}
		return &hostKeyError{
			endpoint:  endpoint.String(),
			expected:  ssh.FingerprintSHA256(expected),
			presented: ssh.FingerprintSHA256(presented),
		}
	}
	return nil
}

// hostKeyError is never retried: either the key is configured wrongly, or somebody is in between.
type hostKeyError struct{ endpoint, expected, presented string }

func (err *hostKeyError) Error() string {
	return fmt.Sprintf("%s presented the host key %s, expected is %s: "+
		"correct hostKey if the host was set up anew, else somebody may be listening in",
		err.endpoint, err.presented, err.expected)
}
