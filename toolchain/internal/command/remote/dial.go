package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"golang.org/x/crypto/ssh"
)

const (
	firstRetryDelay  = 100 * time.Millisecond
	longestRetryWait = 5 * time.Second
	// retryBackoff makes the ten attempts of the default limit last about ten seconds.
	retryBackoff = 1.5
)

// client is a logged-in connection, with the bastion's below it if there is one.
type client struct {
	*ssh.Client
	bastion *ssh.Client
}

func (client *client) close() {
	_ = client.Client.Close()
	if client.bastion != nil {
		_ = client.bastion.Close()
	}
}

// dial connects and logs in. Hosts that are just starting are waited for, within the limits of the connection.
func (connection Connection) dial(ctx context.Context) (*client, error) {
	var bastion *ssh.Client
	if connection.Proxy != nil {
		var err error
		if bastion, err = connection.Proxy.dialRetrying(ctx, (&net.Dialer{}).DialContext); err != nil {
			return nil, err
		}
	}
	open := (&net.Dialer{}).DialContext
	if bastion != nil {
		open = bastion.DialContext
	}
	target, err := connection.dialRetrying(ctx, open)
	if err != nil {
		if bastion != nil {
			_ = bastion.Close()
		}
		return nil, err
	}
	return &client{Client: target, bastion: bastion}, nil
}

type opener func(ctx context.Context, network, address string) (net.Conn, error)

func (endpoint Endpoint) dialRetrying(ctx context.Context, open opener) (*ssh.Client, error) {
	config, done, err := endpoint.login()
	if err != nil {
		return nil, err
	}
	defer done()
	limit := valueOr(endpoint.DialErrorLimit, defaultDialErrorLimit)
	delay := firstRetryDelay
	for failures := 1; ; failures++ {
		connected, err := endpoint.dialOnce(ctx, open, config)
		if err == nil {
			return connected, nil
		}
		var wrongKey *hostKeyError
		if errors.As(err, &wrongKey) {
			return nil, wrongKey
		}
		if limit >= 0 && failures > limit {
			return nil, fmt.Errorf("connect to %s over SSH: gave up at attempt %d: %w", endpoint, failures, err)
		}
		p.GetLogger(ctx).InfoStatusf("connect to %s over SSH: attempt %d failed, trying again: %s", endpoint, failures, err)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connect to %s over SSH: cancelled at attempt %d: %w", endpoint, failures, err)
		case <-time.After(delay):
		}
		delay = min(time.Duration(float64(delay)*retryBackoff), longestRetryWait)
	}
}

func (endpoint Endpoint) dialOnce(ctx context.Context, open opener, config *ssh.ClientConfig) (*ssh.Client, error) {
	if timeout := endpoint.timeout(); timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	stream, err := open(ctx, "tcp", endpoint.address())
	if err != nil {
		return nil, err
	}
	// Closing is the only way to end a handshake that works through a bastion too, whose streams have no deadlines.
	stopClosing := context.AfterFunc(ctx, func() { _ = stream.Close() })
	transport, channels, requests, err := ssh.NewClientConn(stream, endpoint.address(), config)
	if err != nil {
		_ = stream.Close()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("no answer within %s: %w", endpoint.timeout(), err)
		}
		return nil, err
	}
	if !stopClosing() {
		_ = transport.Close()
		return nil, ctx.Err()
	}
	return ssh.NewClient(transport, channels, requests), nil
}
