package remote

import (
	"crypto/ed25519"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// sshServer is a small SSH server: it runs commands with sh, serves SFTP, forwards connections, and accepts environment
// variables whose names begin with ACCEPTED.
type sshServer struct {
	t       *testing.T
	config  *ssh.ServerConfig
	port    int
	hostKey string
}

func startServer(t *testing.T, accept func(*ssh.ServerConfig)) *sshServer {
	t.Helper()
	hostSigner, _ := newKey(t, "")
	server := &sshServer{t: t, config: &ssh.ServerConfig{}, hostKey: authorized(hostSigner)}
	server.config.AddHostKey(hostSigner)
	accept(server.config)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	server.port = listener.Addr().(*net.TCPAddr).Port
	go func() {
		for {
			stream, err := listener.Accept()
			if err != nil {
				return
			}
			go server.serve(stream)
		}
	}()
	return server
}

func (server *sshServer) endpoint(user, privateKey string) Endpoint {
	port, limit := float64(server.port), 0
	return Endpoint{
		Host: "127.0.0.1", Port: &port, User: &user, PrivateKey: &privateKey, HostKey: &server.hostKey, DialErrorLimit: &limit,
	}
}

func (server *sshServer) serve(stream net.Conn) {
	_, channels, requests, err := ssh.NewServerConn(stream, server.config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for channel := range channels {
		switch channel.ChannelType() {
		case "session":
			go server.session(channel)
		case "direct-tcpip":
			go forward(channel)
		default:
			_ = channel.Reject(ssh.UnknownChannelType, "")
		}
	}
}

func (server *sshServer) session(requested ssh.NewChannel) {
	channel, requests, err := requested.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	var environment []string
	for request := range requests {
		switch request.Type {
		case "env":
			var variable struct{ Name, Value string }
			_ = ssh.Unmarshal(request.Payload, &variable)
			accepted := strings.HasPrefix(variable.Name, "ACCEPTED")
			environment = append(environment, variable.Name+"="+variable.Value)
			_ = request.Reply(accepted, nil)
		case "exec":
			_ = request.Reply(true, nil)
			execute(channel, string(request.Payload[4:]), environment)
			return
		case "subsystem":
			_ = request.Reply(true, nil)
			if files, err := sftp.NewServer(channel); err == nil {
				_ = files.Serve()
			}
			return
		default:
			_ = request.Reply(false, nil)
		}
	}
}

func execute(channel ssh.Channel, command string, environment []string) {
	process := exec.Command("/bin/sh", "-c", command)
	process.Env, process.Stdin, process.Stdout, process.Stderr = environment, channel, channel, channel.Stderr()
	code := 0
	var exit *exec.ExitError
	if err := process.Run(); errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	_, _ = channel.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, uint32(code)))
}

func forward(requested ssh.NewChannel) {
	var target struct {
		Host       string
		Port       uint32
		OriginHost string
		OriginPort uint32
	}
	_ = ssh.Unmarshal(requested.ExtraData(), &target)
	stream, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.ParseIP(target.Host), Port: int(target.Port)})
	if err != nil {
		_ = requested.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, err := requested.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	go func() {
		_, _ = io.Copy(stream, channel)
		_ = stream.CloseWrite()
	}()
	_, _ = io.Copy(channel, stream)
	_ = channel.Close()
}

// newKey makes a key, and its private half in OpenSSH's format, encrypted if there is a passphrase.
func newKey(t *testing.T, passphrase string) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(pem.EncodeToMemory(block))
}

func authorized(signer ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

// onlyKey lets one key log in.
func onlyKey(signer ssh.Signer) func(*ssh.ServerConfig) {
	return func(config *ssh.ServerConfig) {
		config.PublicKeyCallback = func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if string(key.Marshal()) == string(signer.PublicKey().Marshal()) {
				return nil, nil
			}
			return nil, errors.New("another key")
		}
	}
}
