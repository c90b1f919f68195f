package openstack

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/gophercloud/gophercloud/v2"
	gopenstack "github.com/gophercloud/gophercloud/v2/openstack"
	"go.uber.org/goleak"

	"github.com/go-magnum/magnum/core/devcloud"
	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is an embedded cloud and look-ups in it.
type fixture struct {
	cloud    *devcloud.Cloud
	keystone *keystone.Client
}

func start(t *testing.T) *fixture {
	t.Helper()
	cloud, err := devcloud.Start(devcloud.Config{})
	if err != nil {
		t.Fatal(err)
	}
	service := cloud.OpenRC("magnum")
	client, err := keystone.New(keystone.Config{
		AuthURL: service["OS_AUTH_URL"], Username: service["OS_USERNAME"], Password: service["OS_PASSWORD"],
		UserDomainName: "Default", ProjectName: service["OS_PROJECT_NAME"], ProjectDomainName: "Default", RegionName: "RegionOne",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cloud.Faults().Clear()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := cloud.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return &fixture{cloud, client}
}

// as logs a user in, as the API would see it.
func (f *fixture) as(t *testing.T, user string) *keystone.Identity {
	t.Helper()
	env := f.cloud.OpenRC(user)
	provider, err := gopenstack.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: env["OS_AUTH_URL"], Username: env["OS_USERNAME"], Password: env["OS_PASSWORD"],
		DomainName: env["OS_USER_DOMAIN_NAME"],
		Scope:      &gophercloud.AuthScope{ProjectName: env["OS_PROJECT_NAME"], DomainName: "Default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer provider.HTTPClient.CloseIdleConnections()
	id, err := f.keystone.Validate(t.Context(), provider.Token())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (f *fixture) lookup() *Lookup { return New(Config{Keystone: f.keystone}) }

// refused checks an error's kind and text, as a user gets them.
func refused(t *testing.T, err error, kind magnum.Kind, message string) {
	t.Helper()
	var ours *magnum.Error
	if !errors.As(err, &ours) || ours.Kind != kind || ours.Message != message {
		t.Errorf("got %v (kind %d)\nwant %s (kind %d)", err, magnum.KindOf(err), message, kind)
	}
}

func TestImage(t *testing.T) {
	f := start(t)
	twin := devcloud.Image{Name: "twin", Properties: map[string]string{"os_distro": "x"}}
	f.cloud.AddImage(twin)
	f.cloud.AddImage(twin)
	own := f.cloud.AddImage(devcloud.Image{Name: "own", Project: "demo", Private: true, Properties: map[string]string{"os_distro": "mine", "magnum_driver": "vendor", "colour": "red"}})
	demo, alt, l := f.as(t, "demo"), f.as(t, "alt"), f.lookup()

	want := Image{ID: own, Name: "own", OSDistro: "mine", Driver: "vendor", Properties: map[string]string{"os_distro": "mine", "magnum_driver": "vendor", "colour": "red"}}
	ignore := cmpopts.IgnoreMapEntries(func(name, _ string) bool { return name != "os_distro" && name != "magnum_driver" && name != "colour" })
	for _, ident := range []string{"own", own} {
		got, err := l.Image(t.Context(), demo, ident)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, ignore); diff != "" {
			t.Error(diff)
		}
		_, err = l.Image(t.Context(), alt, ident)
		refused(t, err, magnum.Invalid, "Image "+ident+" could not be found.")
	}
	if got, err := l.Image(t.Context(), demo, "no-distro"); err != nil || got.OSDistro != "" {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, ident := range []string{"nope", "11111111-1111-1111-1111-111111111111", "../images", "a b/?c=#d", ""} {
		_, err := l.Image(t.Context(), demo, ident)
		refused(t, err, magnum.Invalid, "Image "+ident+" could not be found.")
	}
	_, err := l.Image(t.Context(), demo, "twin")
	refused(t, err, magnum.Conflict, "Multiple images exist with same name 'twin'. Please use the image ID instead.")

	f.cloud.Faults().Add(devcloud.Fault{Service: "image", Status: 403})
	_, err = l.Image(t.Context(), demo, "own")
	refused(t, err, magnum.Forbidden, "Not authorized for image own.")
}

func TestImagesOverManyPages(t *testing.T) {
	f := start(t)
	for range 60 { // a page of Glance's has 25
		f.cloud.AddImage(devcloud.Image{Name: "many"})
	}
	pages := f.cloud.Faults().Add(devcloud.Fault{Service: "image"})
	demo := f.as(t, "demo")
	_, err := f.lookup().Image(t.Context(), demo, "many")
	refused(t, err, magnum.Conflict, "Multiple images exist with same name 'many'. Please use the image ID instead.")
	if pages.Seen() != 3 {
		t.Errorf("%d requests, want 3", pages.Seen())
	}
	_, err = New(Config{Keystone: f.keystone, PageLimit: 2}).Image(t.Context(), demo, "many")
	refused(t, err, magnum.Unavailable, "The image service is unavailable. Try again later.")
	if pages.Seen() != 6 {
		t.Errorf("%d requests, want 3 more", pages.Seen())
	}
}

func TestFlavor(t *testing.T) {
	f := start(t)
	f.cloud.AddFlavor(devcloud.Flavor{Name: "hidden", Private: true})
	zero := f.cloud.AddFlavor(devcloud.Flavor{ID: "zero", Name: "no.disk"})
	demo, l := f.as(t, "demo"), f.lookup()
	small, err := l.Flavor(t.Context(), demo, "m1.small")
	if err != nil || small.Name != "m1.small" || small.Disk != 20 || small.ID == "" {
		t.Fatalf("got %+v, %v", small, err)
	}
	for ident, want := range map[string]Flavor{small.ID: small, zero: {ID: "zero", Name: "no.disk"}, "no.disk": {ID: "zero", Name: "no.disk"}} {
		if got, err := l.Flavor(t.Context(), demo, ident); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", ident, got, err)
		}
	}
	for _, ident := range []string{"m1.Small", "hidden", "", "11111111-1111-1111-1111-111111111111", "a/b"} {
		_, err := l.Flavor(t.Context(), demo, ident)
		refused(t, err, magnum.Invalid, "Unable to find flavor "+ident+".")
	}
}

func TestKeypair(t *testing.T) {
	f := start(t)
	f.cloud.AddKeypair(devcloud.Keypair{User: "demo", Name: "with blank/slash?", PublicKey: "ssh-rsa AAAA x"})
	demo, alt, l := f.as(t, "demo"), f.as(t, "alt"), f.lookup()
	for _, name := range []string{"testkey", "with blank/slash?"} {
		if err := l.Keypair(t.Context(), demo, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused(t, l.Keypair(t.Context(), alt, "testkey"), magnum.NotFound, "Unable to find keypair testkey.")
	for _, name := range []string{"nope", "", "..", ".", "../servers", "a/../testkey"} {
		refused(t, l.Keypair(t.Context(), demo, name), magnum.NotFound, "Unable to find keypair "+name+".")
	}
}

func TestNetworks(t *testing.T) {
	f := start(t)
	for range 2 {
		f.cloud.AddNetwork(devcloud.Network{Name: "out", External: true})
		twin := f.cloud.AddNetwork(devcloud.Network{Name: "in", Project: "demo"})
		f.cloud.AddSubnet(devcloud.Subnet{Name: "sub", NetworkID: twin, CIDR: "10.9.0.0/24"})
	}
	uuidNamed := f.cloud.AddNetwork(devcloud.Network{Name: "6f1e7f0e-0000-4000-8000-000000000001", External: true})
	demo, alt, l := f.as(t, "demo"), f.as(t, "alt"), f.lookup()

	public, err := l.ExternalNetwork(t.Context(), demo, "public")
	if err != nil || public.Name != "public" {
		t.Fatalf("got %+v, %v", public, err)
	}
	if got, err := l.ExternalNetwork(t.Context(), alt, public.ID); err != nil || got != public {
		t.Errorf("by id: %+v, %v", got, err)
	}
	if got, err := l.ExternalNetwork(t.Context(), demo, "6f1e7f0e-0000-4000-8000-000000000001"); err != nil || got.ID != uuidNamed {
		t.Errorf("a name that looks like an id: %+v, %v", got, err)
	}
	private, err := l.Network(t.Context(), demo, "demo-net")
	if err != nil || private.Name != "demo-net" {
		t.Fatalf("got %+v, %v", private, err)
	}
	subnet, err := l.Subnet(t.Context(), demo, "demo-subnet")
	if want := (Subnet{ID: subnet.ID, Name: "demo-subnet", NetworkID: private.ID, CIDR: "10.20.0.0/24"}); err != nil || subnet != want || subnet.ID == "" {
		t.Fatalf("got %+v, %v", subnet, err)
	}
	if got, err := l.Subnet(t.Context(), demo, subnet.ID); err != nil || got != subnet {
		t.Errorf("by id: %+v, %v", got, err)
	}

	for _, ident := range []string{"demo-net", private.ID, "nope", "11111111-1111-1111-1111-111111111111", ""} {
		_, err = l.ExternalNetwork(t.Context(), demo, ident)
		refused(t, err, magnum.Invalid, "Unable to find external network "+ident+".")
	}
	_, err = l.Network(t.Context(), alt, "demo-net")
	refused(t, err, magnum.Invalid, "Unable to find fixed network demo-net.")
	_, err = l.Subnet(t.Context(), alt, subnet.ID)
	refused(t, err, magnum.Invalid, "Unable to find fixed subnet "+subnet.ID+".")
	_, err = l.ExternalNetwork(t.Context(), demo, "out")
	refused(t, err, magnum.Conflict, "Multiple external networks exist with same name 'out'. Please use the external network ID instead.")
	_, err = l.Network(t.Context(), demo, "in")
	refused(t, err, magnum.Conflict, "Multiple networks exist with same name 'in'. Please use the network ID instead.")
	_, err = l.Subnet(t.Context(), demo, "sub")
	refused(t, err, magnum.Conflict, "Multiple subnets exist with same name 'sub'. Please use the subnet ID instead.")
}

// looks are all of them, each with the service it asks.
func looks(l *Lookup) map[string]func(context.Context, *keystone.Identity) error {
	return map[string]func(context.Context, *keystone.Identity) error{
		"image": func(ctx context.Context, id *keystone.Identity) error {
			_, err := l.Image(ctx, id, "fedora-latest")
			return err
		},
		"compute": func(ctx context.Context, id *keystone.Identity) error {
			_, err := l.Flavor(ctx, id, "m1.small")
			return err
		},
		"network": func(ctx context.Context, id *keystone.Identity) error {
			_, err := l.ExternalNetwork(ctx, id, "public")
			return err
		},
	}
}

func TestFailingServiceIsNamed(t *testing.T) {
	const canary = "do-not-show"
	tests := map[string]devcloud.Fault{
		"error":      {Status: 500, Body: `{"x": "` + canary + `"}`},
		"away":       {Status: 503},
		"nonsense":   {Status: 200, Body: "<html>" + canary},
		"not a list": {Status: 404},
		"before":     {Drop: devcloud.DropBefore},
		"after":      {Drop: devcloud.DropAfter},
		"slow":       {Delay: time.Hour},
	}
	f := start(t)
	demo := f.as(t, "demo")
	for name, fault := range tests {
		l := f.lookup()
		if fault.Delay > 0 {
			l = New(Config{Keystone: f.keystone, Timeout: 50 * time.Millisecond})
		}
		for service, look := range looks(l) {
			t.Run(name+" "+service, func(t *testing.T) {
				fault.Service = service
				rule := f.cloud.Faults().Add(fault)
				defer rule.Remove()
				err := look(t.Context(), demo)
				refused(t, err, magnum.Unavailable, "The "+service+" service is unavailable. Try again later.")
				if rule.Hits() == 0 {
					t.Error("the fault was not met")
				}
				if strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), demo.Token) || strings.Contains(err.Error(), "127.0.0.1:") && fault.Drop == 0 {
					t.Errorf("the error shows too much: %v", err)
				}
			})
		}
	}
}

func TestCallerGivesUp(t *testing.T) {
	f := start(t)
	demo := f.as(t, "demo")
	for service, look := range looks(f.lookup()) {
		rule := f.cloud.Faults().Add(devcloud.Fault{Service: service, Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := look(ctx, demo)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || magnum.KindOf(err) == magnum.Unavailable {
			t.Errorf("%s: got %v", service, err)
		}
		rule.Remove()
	}
}

func TestTokenRevokedMeanwhile(t *testing.T) {
	f := start(t)
	demo := f.as(t, "demo")
	f.cloud.Faults().Add(devcloud.Fault{Service: "compute", Status: 401, Path: regexp.MustCompile("flavors")})
	_, err := f.lookup().Flavor(t.Context(), demo, "m1.small")
	refused(t, err, magnum.Unauthorized, "The token has expired or was revoked.")
}

func TestRegionWithoutService(t *testing.T) {
	f := start(t)
	l := New(Config{Keystone: f.keystone, Glance: Service{Region: "elsewhere"}, Nova: Service{Region: "RegionOne", Interface: "internalURL"}})
	demo := f.as(t, "demo")
	_, err := l.Image(t.Context(), demo, "fedora-latest")
	refused(t, err, magnum.Unavailable, "The image service is unavailable. Try again later.")
	if _, err := l.Flavor(t.Context(), demo, "m1.small"); err != nil {
		t.Error(err)
	}
}

func TestBase(t *testing.T) {
	for _, test := range []struct{ version, endpoint, want string }{
		{"v2", "http://h:9292", "http://h:9292/v2/"},
		{"v2", "http://h:9292/", "http://h:9292/v2/"},
		{"v2", "http://h/image/v2/", "http://h/image/v2/"},
		{"v2.0", "http://h:9696", "http://h:9696/v2.0/"},
		{"v2.0", "http://h:9696/v2.0", "http://h:9696/v2.0/"},
		{"v2.1", "http://h/compute/v2.1/", "http://h/compute/v2.1/"},
		{"v2.1", "http://h:8774/v2/0123", "http://h:8774/v2/0123/"},
		{"v2.1", "http://v2.example/compute", "http://v2.example/compute/v2.1/"},
	} {
		if got := (service{version: test.version}).base(test.endpoint); got != test.want {
			t.Errorf("%s: got %s, want %s", test.endpoint, got, test.want)
		}
	}
}
