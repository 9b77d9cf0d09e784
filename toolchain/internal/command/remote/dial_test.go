package remote

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func pointer[T any](value T) *T { return &value }

func mustDial(t *testing.T, connection Connection) {
	t.Helper()
	client, err := connection.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client.close()
}

func refused(t *testing.T, connection Connection, expected ...string) {
	t.Helper()
	client, err := connection.dial(t.Context())
	if err == nil {
		client.close()
		t.Fatal("it connects")
	}
	for _, text := range expected {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the message lacks %q: %s", text, err)
		}
	}
}

func TestKeyLogsIn(t *testing.T) {
	signer, key := newKey(t, "")
	server := startServer(t, onlyKey(signer))
	mustDial(t, Connection{Endpoint: server.endpoint("user", key)})
}

func TestEncryptedKeyLogsInWithItsPassphraseOnly(t *testing.T) {
	signer, key := newKey(t, "pass phrase")
	server := startServer(t, onlyKey(signer))
	endpoint := server.endpoint("user", key)
	refused(t, Connection{Endpoint: endpoint}, "private key for user@127.0.0.1")
	endpoint.PrivateKeyPassword = pointer("wrong")
	refused(t, Connection{Endpoint: endpoint}, "private key for user@127.0.0.1")
	endpoint.PrivateKeyPassword = pointer("pass phrase")
	mustDial(t, Connection{Endpoint: endpoint})
}

func TestPasswordLogsInWhicheverWayTheServerAsks(t *testing.T) {
	check := func(password string) (*ssh.Permissions, error) {
		if password == "right" {
			return nil, nil
		}
		return nil, errors.New("wrong password")
	}
	for name, accept := range map[string]func(*ssh.ServerConfig){
		"password": func(config *ssh.ServerConfig) {
			config.PasswordCallback = func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
				return check(string(password))
			}
		},
		"keyboard-interactive": func(config *ssh.ServerConfig) {
			config.KeyboardInteractiveCallback = func(
				_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge,
			) (*ssh.Permissions, error) {
				answers, err := ask("", "", []string{"Password: "}, []bool{false})
				if err != nil || len(answers) != 1 {
					return nil, errors.New("no answer")
				}
				return check(answers[0])
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := startServer(t, accept)
			endpoint := server.endpoint("user", "")
			endpoint.PrivateKey, endpoint.Password = nil, pointer("right")
			mustDial(t, Connection{Endpoint: endpoint})
			endpoint.Password = pointer("wrong")
			refused(t, Connection{Endpoint: endpoint}, "user@127.0.0.1", "unable to authenticate")
		})
	}
}

func TestAnotherHostKeyIsRefusedAtOnce(t *testing.T) {
	signer, key := newKey(t, "")
	server := startServer(t, onlyKey(signer))
	endpoint := server.endpoint("user", key)
	other, _ := newKey(t, "")
	endpoint.HostKey, endpoint.DialErrorLimit = pointer(authorized(other)), pointer(-1)
	refused(t, Connection{Endpoint: endpoint}, "host key", ssh.FingerprintSHA256(other.PublicKey()), "listening in")
}

func TestUnreadableHostKeyIsRefused(t *testing.T) {
	signer, key := newKey(t, "")
	server := startServer(t, onlyKey(signer))
	endpoint := server.endpoint("user", key)
	endpoint.HostKey = pointer("not a key")
	refused(t, Connection{Endpoint: endpoint}, "the host key for user@127.0.0.1")
}

func TestAttemptsEndOnceTheyExceedTheLimit(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := float64(listener.Addr().(*net.TCPAddr).Port)
	attempts := make(chan struct{}, 10)
	go func() {
		for {
			stream, err := listener.Accept()
			if err != nil {
				return
			}
			attempts <- struct{}{}
			_ = stream.Close()
		}
	}()
	defer listener.Close()
	endpoint := Endpoint{Host: "127.0.0.1", Port: &port, Password: pointer(""), DialErrorLimit: pointer(2)}
	refused(t, Connection{Endpoint: endpoint}, "root@127.0.0.1", "gave up at attempt 3")
	if len(attempts) != 3 {
		t.Errorf("%d attempts", len(attempts))
	}
}

func TestHostThatStartsLateIsWaitedFor(t *testing.T) {
	_, key := newKey(t, "")
	refusals := 2
	server := startServer(t, func(config *ssh.ServerConfig) {
		config.PublicKeyCallback = func(_ ssh.ConnMetadata, presented ssh.PublicKey) (*ssh.Permissions, error) {
			if refusals > 0 {
				refusals--
				return nil, errors.New("not yet")
			}
			return nil, nil
		}
	})
	endpoint := server.endpoint("user", key)
	endpoint.DialErrorLimit = pointer(5)
	mustDial(t, Connection{Endpoint: endpoint})
}

func TestSilentHostIsGivenUpAfterTheTimeOut(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := float64(listener.Addr().(*net.TCPAddr).Port)
	endpoint := Endpoint{
		Host: "127.0.0.1", Port: &port, Password: pointer(""), DialErrorLimit: pointer(0), PerDialTimeout: pointer(1),
	}
	refused(t, Connection{Endpoint: endpoint}, "gave up at attempt 1", "no answer within 1s")
}

func TestCancelEndsTheAttempts(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	endpoint := Endpoint{Host: "127.0.0.1", Port: pointer(1.0), Password: pointer(""), DialErrorLimit: pointer(-1)}
	if _, err := (Connection{Endpoint: endpoint}).dial(ctx); err == nil {
		t.Error("it connects to nothing")
	}
}

func TestHostBehindABastionIsReachedAndBothKeysAreChecked(t *testing.T) {
	signer, key := newKey(t, "")
	bastion, target := startServer(t, onlyKey(signer)), startServer(t, onlyKey(signer))
	connection := Connection{
		Endpoint: target.endpoint("inner", key),
		Proxy:    &ProxyConnection{Endpoint: bastion.endpoint("outer", key)},
	}
	mustDial(t, connection)

	wrong := connection
	wrong.HostKey = &bastion.hostKey
	refused(t, wrong, "inner@127.0.0.1", "host key")
	wrong = connection
	wrong.Proxy = &ProxyConnection{Endpoint: bastion.endpoint("outer", key)}
	wrong.Proxy.HostKey = &target.hostKey
	refused(t, wrong, "outer@127.0.0.1", "host key")
}

func TestAgentLogsIn(t *testing.T) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			stream, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keys, stream) }()
		}
	}()
	endpoint := startServer(t, onlyKey(signer)).endpoint("user", "")
	endpoint.PrivateKey, endpoint.AgentSocketPath = nil, &socket
	mustDial(t, Connection{Endpoint: endpoint})

	endpoint.AgentSocketPath = nil
	t.Setenv("SSH_AUTH_SOCK", socket)
	mustDial(t, Connection{Endpoint: endpoint})

	endpoint.AgentSocketPath = pointer(socket + "-missing")
	refused(t, Connection{Endpoint: endpoint}, "connect to the SSH agent")
}
