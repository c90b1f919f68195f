package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkCreates sends 1,000 creates at once: all are to be accepted, and each
// is to have one stack in the end, whenever that is.
func BenchmarkCreates(b *testing.B) {
	const creates = 1000
	l := newLab(b, 0)
	f, err := os.OpenFile(l.conf, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = fmt.Fprintf(f, "\n[quotas]\nmax_clusters_per_project = %d\n", creates)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	l.run(exec.Command(executable(b, "magnum-api"), "--config-file", l.conf))
	l.run(exec.Command(executable(b, "magnum-conductor"), "--config-file", l.conf))
	poll(b, 20*time.Second, "the API to answer", func() (bool, error) {
		resp, err := http.Get(l.url + "/")
		if err != nil {
			return false, nil
		}
		return true, resp.Body.Close()
	})
	user := l.client("demo")
	template := l.template(user)
	token := user.Token()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 64, MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	for b.Loop() {
		var sent sync.WaitGroup
		begin := time.Now()
		for n := range creates {
			sent.Go(func() {
				body := fmt.Sprintf(`{"name": "c-%d", "cluster_template_id": %q, "master_count": 1, "node_count": 1}`, n, template)
				req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, l.url+"/v1/clusters", strings.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("X-Auth-Token", token)
				req.Header.Set("Content-Type", "application/json")
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				defer resp.Body.Close()
				if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusAccepted {
					b.Errorf("%d: %s %v", resp.StatusCode, text, err)
				}
			})
		}
		sent.Wait()
		accepted := time.Since(begin)
		poll(b, 20*time.Minute, "all stacks to be there", func() (bool, error) {
			<-time.After(2 * time.Second) // each look copies all stacks
			return len(l.cloud.Stacks()) >= creates, nil
		})
		b.ReportMetric(accepted.Seconds(), "accepted-s")
		b.ReportMetric(time.Since(begin).Seconds(), "stacks-s")
		stacks := map[string]int{} // by cluster
		for _, s := range l.cloud.Stacks() {
			stacks[s.Name[:strings.LastIndex(s.Name, "-")]]++
		}
		if n := len(l.cloud.Stacks()); n != creates || len(stacks) != creates {
			b.Errorf("%d clusters have %d stacks", len(stacks), n)
		}
	}
}
