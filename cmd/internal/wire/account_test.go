package wire

import (
	"os"
	"strings"
	"testing"
)

func TestAccount(t *testing.T) {
	if u, err := account(""); u != nil || err != nil {
		t.Errorf("without a name: %v, %v", u, err)
	}
	if os.Getuid() != 0 {
		if _, err := account("root"); err == nil || !strings.Contains(err.Error(), "only root") {
			t.Errorf("got %v", err)
		}
		t.Skip("only root can start drivers as somebody else")
	}
	if u, err := account("nobody"); err != nil || u.UID == 0 || u.GID == 0 {
		t.Errorf("nobody is %+v, %v", u, err)
	}
	if _, err := account("no such user"); err == nil || !strings.Contains(err.Error(), "no such user") {
		t.Errorf("got %v", err)
	}
}
