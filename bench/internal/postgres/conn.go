package postgres

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
)

// mostMessage bounds one message of the protocol.
const mostMessage = 64 << 20

// copyPiece is how much of a COPY is sent in one message.
const copyPiece = 64 << 10

// Conn is one connection. It is for one goroutine.
type Conn struct {
	conn net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
}

// Connect opens a connection.
func (s *Server) Connect(ctx context.Context) (*Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.socket, ".s.PGSQL.5432"))
	if err != nil {
		return nil, err
	}
	c := &Conn{conn: conn, in: bufio.NewReaderSize(conn, copyPiece), out: bufio.NewWriterSize(conn, copyPiece)}
	const version = 3 << 16
	hello := binary.BigEndian.AppendUint32(nil, version)
	hello = append(hello, "user\x00bench\x00database\x00postgres\x00\x00"...)
	if err = c.message(0, hello); err == nil {
		err = c.answer(nil, nil)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect to PostgreSQL: %w", err), conn.Close())
	}
	return c, nil
}

// Close ends the connection.
func (c *Conn) Close() error {
	err := c.message('X', nil)
	if err == nil {
		err = c.out.Flush()
	}
	return errors.Join(err, c.conn.Close())
}

// Query asks in SQL, several questions with semicolons between them, and gives the
// bytes of each row's columns, which are valid during the call.
func (c *Conn) Query(sql string, row func(columns [][]byte) error) error {
	if err := c.message('Q', append([]byte(sql), 0)); err != nil {
		return err
	}
	return c.answer(row, nil)
}

// Copy is Query for questions of which one is a COPY from STDIN, with what it reads.
func (c *Conn) Copy(sql string, data []byte) error {
	if err := c.message('Q', append([]byte(sql), 0)); err != nil {
		return err
	}
	return c.answer(nil, data)
}

// message sends one; the first of a connection has no kind.
func (c *Conn) message(kind byte, body []byte) error {
	if kind != 0 {
		if err := c.out.WriteByte(kind); err != nil {
			return err
		}
	}
	if err := binary.Write(c.out, binary.BigEndian, uint32(len(body)+4)); err != nil {
		return err
	}
	_, err := c.out.Write(body)
	return err
}

// answer reads until the server waits for the next question. An error of the server's
// is given then, so that the connection can go on.
func (c *Conn) answer(row func([][]byte) error, data []byte) error {
	if err := c.out.Flush(); err != nil {
		return err
	}
	var failed error
	var body []byte
	for {
		kind, size, err := c.head()
		if err != nil {
			return err
		}
		if cap(body) < size {
			body = make([]byte, size)
		}
		body = body[:size]
		if _, err := io.ReadFull(c.in, body); err != nil {
			return err
		}
		switch kind {
		case 'Z':
			return failed
		case 'E':
			failed = errors.Join(failed, errorOf(body))
		case 'R':
			if !bytes.Equal(body, make([]byte, 4)) {
				return errors.New("the server asks for a password")
			}
		case 'G':
			if err := c.send(data); err != nil {
				return err
			}
		case 'D':
			if row != nil && failed == nil {
				failed = give(body, row)
			}
		}
	}
}

// head is the kind of a message and how long the rest of it is.
func (c *Conn) head() (kind byte, size int, err error) {
	var head [5]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return 0, 0, err
	}
	size = int(binary.BigEndian.Uint32(head[1:])) - 4
	if size < 0 || size > mostMessage {
		return 0, 0, fmt.Errorf("a message of %d bytes", size)
	}
	return head[0], size, nil
}

// send sends what a COPY reads.
func (c *Conn) send(data []byte) error {
	for len(data) > 0 {
		piece := data[:min(copyPiece, len(data))]
		data = data[len(piece):]
		if err := c.message('d', piece); err != nil {
			return err
		}
	}
	if err := c.message('c', nil); err != nil {
		return err
	}
	return c.out.Flush()
}

// give takes a row apart: the number of columns, then each with its length, -1 for
// null.
func give(body []byte, row func([][]byte) error) error {
	broken := errors.New("a row that is cut off")
	if len(body) < 2 {
		return broken
	}
	columns := make([][]byte, 0, 4)
	count := int(binary.BigEndian.Uint16(body))
	body = body[2:]
	for range count {
		if len(body) < 4 {
			return broken
		}
		size := int(int32(binary.BigEndian.Uint32(body)))
		if body = body[4:]; size < 0 {
			columns = append(columns, nil)
			continue
		}
		if size > len(body) {
			return broken
		}
		columns = append(columns, body[:size])
		body = body[size:]
	}
	return row(columns)
}

// errorOf is the text of an error of the server's: fields with a letter before and a
// zero behind them.
func errorOf(body []byte) error {
	text := "an error without a text"
	for field := range bytes.SplitSeq(body, []byte{0}) {
		if len(field) > 1 && field[0] == 'M' {
			text = string(field[1:])
		}
	}
	return errors.New("PostgreSQL: " + text)
}
