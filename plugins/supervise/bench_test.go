package supervise_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/go-magnum/magnum/plugins/supervise"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

// BenchmarkStart measures from nothing to the first answer.
func BenchmarkStart(b *testing.B) {
	var took []time.Duration
	for b.Loop() {
		d := supervise.New(config(b))
		begin := time.Now()
		set, err := d.Get(b.Context(), "test-driver", "")
		if err == nil {
			_, err = ask(b.Context(), set, "pid")
		}
		took = append(took, time.Since(begin))
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := d.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(median(took).Microseconds())/1000, "p50-ms")
}

// BenchmarkCall compares a call through supervision, TLS and conversion with
// the same messages over plain gRPC. Both kinds alternate, so that a busy
// machine slows both.
func BenchmarkCall(b *testing.B) {
	for _, size := range []int{1 << 10, 200 << 10} {
		b.Run(strconv.Itoa(size>>10)+"KiB", func(b *testing.B) {
			d := drivers(b, config(b))
			set := get(b, d)
			command := "size:" + strconv.Itoa(size)
			through := func() (int, error) {
				out, err := ask(b.Context(), set, command)
				return len(out), err
			}
			client := plainDriver(b)
			plain := func() (int, error) {
				out, err := client.Render(b.Context(), &pb.RenderRequest{Cluster: &pb.Cluster{Name: command}})
				return len(out.GetTemplate()), err
			}
			var with, without []time.Duration
			measure := func(call func() (int, error)) time.Duration {
				begin := time.Now()
				n, err := call()
				if err != nil || n != size {
					b.Fatal(n, err)
				}
				return time.Since(begin)
			}
			for range 20 { // both have their connections and buffers
				measure(through)
				measure(plain)
			}
			for b.Loop() {
				with = append(with, measure(through))
				without = append(without, measure(plain))
			}
			b.ReportMetric(float64(median(with).Nanoseconds())/1000, "p50-us")
			b.ReportMetric(float64(median(without).Nanoseconds())/1000, "plain-p50-us")
			b.ReportMetric(float64(median(with))/float64(median(without)), "ratio")
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// plainDriver is a process that serves the same messages without TLS.
func plainDriver(b *testing.B) pb.TemplatesClient {
	b.Helper()
	p, err := testStore.Find("test-driver", "")
	if err != nil {
		b.Fatal(err)
	}
	socket := filepath.Join(b.TempDir(), "s")
	cmd := exec.Command(p.Binary())
	cmd.Env = []string{"TESTDRIVER_MODE=plain", "TESTDRIVER_SOCKET=" + socket}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	until(b, "the plain driver listens", func() bool { _, err := os.Stat(socket); return err == nil })
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = conn.Close()
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	return pb.NewTemplatesClient(conn)
}
