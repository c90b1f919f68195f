package e2e

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	nova "github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// guests plays the nodes of demo's clusters, whose servers never boot: each tells
// its wait condition of success, with what Nova was given for it.
func (r *deployment) guests() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		told := map[string]bool{}
		for {
			if err := r.tellAll(ctx, told); err != nil && ctx.Err() == nil {
				fmt.Fprintln(r.logs, "guests:", err) // it is tried again
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
		}
	}()
	r.t.Cleanup(func() {
		cancel()
		<-done
	})
}

func (r *deployment) tellAll(ctx context.Context, told map[string]bool) error {
	demo, err := openstack.NewComputeV2(r.demo, gophercloud.EndpointOpts{Region: r.rc["OS_REGION_NAME"]})
	if err != nil {
		return err
	}
	page, err := nova.ListSimple(demo, nil).AllPages(ctx)
	if err != nil {
		return err
	}
	all, err := nova.ExtractServers(page)
	if err != nil {
		return err
	}
	var problems []error
	for _, s := range all {
		if told[s.ID] {
			continue
		}
		if err := r.tell(ctx, s.ID); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", s.Name, err))
			continue
		}
		told[s.ID] = true
	}
	return errors.Join(problems...)
}

// tell says that a node is ready.
func (r *deployment) tell(ctx context.Context, server string) error {
	data, err := r.userData(ctx, server)
	if err != nil {
		return err
	}
	param := func(name string) string { return data.Files["/etc/magnum/params/"+name] }
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, param("wait_endpoint"),
		strings.NewReader(fmt.Sprintf(`{"status": "SUCCESS", "id": %q, "data": "", "reason": ""}`, param("name"))))
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-Token", param("wait_token"))
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the signal was answered %s", resp.Status)
	}
	return nil
}

// userData is what Nova was given for a server, which it shows to admin.
func (r *deployment) userData(ctx context.Context, server string) (templatetest.UserData, error) {
	admin, err := openstack.NewComputeV2(r.admin, gophercloud.EndpointOpts{Region: r.rc["OS_REGION_NAME"]})
	if err != nil {
		return templatetest.UserData{}, err
	}
	admin.Microversion = "2.3"
	s, err := nova.Get(ctx, admin, server).Extract()
	if err != nil {
		return templatetest.UserData{}, err
	}
	if s.Userdata == nil {
		return templatetest.UserData{}, errors.New("it has no user data")
	}
	text, err := base64.StdEncoding.DecodeString(*s.Userdata)
	if err != nil {
		return templatetest.UserData{}, err
	}
	return templatetest.ReadUserData(string(text))
}
