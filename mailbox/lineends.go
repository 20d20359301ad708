package mailbox

import "io"

// lineFeeds turns line ends of CR LF, and of several CRs, into a line feed, so
// that what reads lines knows one kind of end.
type lineFeeds struct {
	reader io.Reader
	// held says that a CR was taken whose next byte is not known yet.
	held bool
	buf  [8 << 10]byte
	rest []byte
	err  error
}

func (l *lineFeeds) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n := 0
	for n == 0 {
		if len(l.rest) == 0 {
			if l.err != nil {
				return 0, l.err
			}
			var read int
			read, l.err = l.reader.Read(l.buf[:])
			l.rest = l.buf[:read]
		}
		n = l.take(p)
	}
	return n, nil
}

// take moves bytes from rest to p. CRs that no line feed follows become one.
func (l *lineFeeds) take(p []byte) int {
	n := 0
	for n < len(p) && len(l.rest) > 0 {
		c := l.rest[0]
		if c == '\r' {
			l.held = true
			l.rest = l.rest[1:]
			continue
		}
		if l.held && c != '\n' {
			l.held = false
			p[n] = '\r'
			n++
			continue
		}
		l.held = false
		p[n] = c
		n++
		l.rest = l.rest[1:]
	}
	return n
}

// carriageReturns reads a file whose lines end in CR alone, as old Macs wrote
// them. Each byte stays where it is, so that offsets hold.
type carriageReturns struct{ reader io.Reader }

func (c carriageReturns) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// onlyCarriageReturns reports whether the beginning of a file has lines that end
// in CR, and none that ends otherwise.
func onlyCarriageReturns(head []byte) bool {
	returns := 0
	for i, b := range head {
		switch {
		case b == '\n':
			return false
		case b == '\r' && i+1 < len(head):
			returns++
		}
	}
	return returns > 1
}
