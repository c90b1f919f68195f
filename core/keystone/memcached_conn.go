package keystone

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"strconv"
)

var errRubbish = errors.New("not memcached's protocol")

// guardedConn keeps a server from costing more than a moment: gomemcache
// starts the time limit anew with each line, however many come, and makes room
// for whatever size a server announces.
type guardedConn struct {
	net.Conn
	r      *bufio.Reader
	line   []byte // checked and not yet handed on
	data   int    // bytes of a value to come
	valued bool   // there was a value since the last question
}

func dialGuarded(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &guardedConn{Conn: c, r: bufio.NewReaderSize(c, 4096)}, nil
}

func (c *guardedConn) Write(b []byte) (int, error) {
	c.valued = false
	return c.Conn.Write(b)
}

func (c *guardedConn) Read(b []byte) (int, error) {
	if len(c.line) == 0 && c.data > 0 {
		n, err := c.r.Read(b[:min(len(b), c.data)])
		c.data -= n
		return n, err
	}
	if len(c.line) == 0 {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if err := c.check(line); err != nil {
			return 0, err
		}
		c.line = bytes.Clone(line)
	}
	n := copy(b, c.line)
	c.line = c.line[n:]
	return n, nil
}

// check reads the line that announces a value. One is asked for at a time.
func (c *guardedConn) check(line []byte) error {
	if !bytes.HasPrefix(line, []byte("VALUE ")) {
		return nil
	}
	fields := bytes.Fields(line)
	if len(fields) < 4 || c.valued {
		return errRubbish
	}
	size, err := strconv.Atoi(string(fields[3]))
	if err != nil || size < 0 || size > maxEntry {
		return errRubbish
	}
	c.valued, c.data = true, size+len("\r\n")
	return nil
}
