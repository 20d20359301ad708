package app

import (
	"context"
	"net"

	"golang.org/x/sys/unix"

	"tidings/api"
)

// withPeer notes which user of this machine is at the other end of a unix socket.
func withPeer(ctx context.Context, conn net.Conn) context.Context {
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return ctx
	}
	var peer *unix.Ucred
	control := raw.Control(func(fd uintptr) {
		peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if control != nil || err != nil {
		return ctx
	}
	return api.WithPeer(ctx, peer.Uid)
}
