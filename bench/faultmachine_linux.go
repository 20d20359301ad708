package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// faultDisk is how much the small file system of the full disk holds.
const faultDisk = 128 << 20

// lacksDisk says that no small file system can be mounted.
func lacksDisk(*Faults) string {
	dir, err := os.MkdirTemp("", "tidings-disk-*")
	if err != nil {
		return err.Error()
	}
	defer os.Remove(dir)
	if err := mountSmall(dir); err != nil {
		return "a small file system cannot be mounted, which root may: " + err.Error()
	}
	if err := unix.Unmount(dir, 0); err != nil {
		return err.Error()
	}
	return ""
}

func mountSmall(dir string) error {
	return unix.Mount("tidings", dir, "tmpfs", 0, "mode=0700,size="+strconv.Itoa(faultDisk))
}

// diskFull fills the disk of the data directory, and empties it again. Nothing is
// acknowledged that is not on it, and reads go on.
func diskFull(ctx context.Context, r *faultRun) (err error) {
	if err := os.Mkdir(r.data, 0o700); err != nil {
		return err
	}
	if err := mountSmall(r.data); err != nil {
		return fmt.Errorf("mount a small file system: %w", err)
	}
	defer func() { err = errors.Join(err, r.end(), unix.Unmount(r.data, unix.MNT_DETACH)) }()
	filler := filepath.Join(r.data, "filler")
	return r.onBadDisk(ctx, func() error { return fill(filler) }, func() error { return os.Remove(filler) })
}

// fill writes a file until the disk is full.
func fill(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	chunk := make([]byte, 64<<10)
	for err == nil {
		if _, err = file.Write(chunk); errors.Is(err, unix.ENOSPC) && len(chunk) > 1 {
			chunk, err = chunk[:len(chunk)/2], nil
		}
	}
	if !errors.Is(err, unix.ENOSPC) {
		return errors.Join(err, file.Close())
	}
	return file.Close()
}

// onBadDisk makes the disk bad under load for Away, and mends it.
func (r *faultRun) onBadDisk(ctx context.Context, damage, repair func() error) error {
	if err := r.serve(ctx); err != nil {
		return err
	}
	r.work(ctx, 1, 0, faultPace)
	if err := r.grow(ctx, 4*faultBatch); err != nil {
		return err
	}
	if err := damage(); err != nil {
		return err
	}
	r.begins()
	err := r.await(ctx, "senders are told 503", func() bool {
		r.book.mu.Lock()
		defer r.book.mu.Unlock()
		return r.book.answers[http.StatusServiceUnavailable] > 0
	})
	if err := errors.Join(err, wait(ctx, r.Away)); err != nil {
		return err
	}
	r.must(r.ask(ctx, http.MethodGet, "/v1/feed", nil, nil) == nil, "reads go on")
	r.ends()
	if err := repair(); err != nil {
		return err
	}
	r.repaired = time.Now()
	if err := r.grow(ctx, 4*faultBatch); err != nil {
		return err
	}
	return r.finish(ctx)
}

// lacksInjection says that calls of the system cannot be made to fail.
func lacksInjection(*Faults) string {
	if _, err := exec.LookPath("strace"); err != nil {
		return "there is no strace, which makes fsync fail"
	}
	scope := strings.TrimSpace(readText("/proc/sys/kernel/yama/ptrace_scope"))
	if os.Geteuid() != 0 && scope != "0" && scope != "" {
		return "strace may not attach to another process, as root may"
	}
	return ""
}

// syncFails has every fsync of the server fail for a while.
func syncFails(ctx context.Context, r *faultRun) error {
	var tracer *exec.Cmd
	return r.onBadDisk(ctx, func() error {
		tracer = exec.CommandContext(ctx, "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync",
			"-e", "inject=fsync,fdatasync:error=EIO", "-p", strconv.Itoa(r.server.command.Process.Pid))
		return tracer.Start()
	}, func() error {
		if err := tracer.Process.Signal(os.Interrupt); err != nil {
			return err
		}
		_ = tracer.Wait() // it was interrupted
		return nil
	})
}

// lacksLimits says that a process cannot be limited.
func lacksLimits(*Faults) string { return "" }

// limit changes what the server may use of something, and returns how that is undone.
func (r *faultRun) limit(resource int, most uint64) (undo func() error, err error) {
	pid := r.server.command.Process.Pid
	var old unix.Rlimit
	if err := unix.Prlimit(pid, resource, nil, &old); err != nil {
		return nil, fmt.Errorf("read a limit: %w", err)
	}
	if err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: most, Max: old.Max}, nil); err != nil {
		return nil, fmt.Errorf("limit the server: %w", err)
	}
	return func() error { return unix.Prlimit(pid, resource, &old, nil) }, nil
}

// noDescriptors lets the server open nothing more for a while.
func noDescriptors(ctx context.Context, r *faultRun) error {
	if err := r.serve(ctx); err != nil {
		return err
	}
	r.work(ctx, 1, 0, faultPace)
	if err := r.grow(ctx, 4*faultBatch); err != nil {
		return err
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", r.server.command.Process.Pid))
	if err != nil {
		return err
	}
	undo, err := r.limit(unix.RLIMIT_NOFILE, uint64(len(open)))
	if err != nil {
		return err
	}
	r.begins()
	if err := wait(ctx, r.Away); err != nil {
		return err
	}
	r.ends()
	r.must(strings.Contains(r.server.log.String(), unix.EMFILE.Error()), "the server lacks descriptors")
	if err := undo(); err != nil {
		return err
	}
	r.repaired = time.Now()
	if err := r.grow(ctx, 4*faultBatch); err != nil {
		return err
	}
	return r.finish(ctx)
}

// noMemory gives the server no more memory until it ends, and starts it again.
func noMemory(ctx context.Context, r *faultRun) error {
	if err := r.serve(ctx); err != nil {
		return err
	}
	r.work(ctx, 1, 0, 0)
	if err := r.grow(ctx, 4*faultBatch); err != nil {
		return err
	}
	if _, err := r.limit(unix.RLIMIT_DATA, 1<<20); err != nil {
		return err
	}
	r.begins()
	if err := r.server.awaitEnd(ctx); err != nil {
		return err
	}
	if err := r.serve(ctx); err != nil {
		return err
	}
	r.ends()
	if err := r.grow(ctx, 4*faultBatch); err != nil {
		return err
	}
	return r.finish(ctx)
}
