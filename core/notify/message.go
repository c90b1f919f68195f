package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// Types of the Cloud Auditing Data Federation, as upstream uses them.
const (
	typeEvent   = "http://schemas.dmtf.org/cloud/audit/1.0/event"
	typeCluster = "service/magnum/cluster"
	typeUser    = "service/security/account/user"
)

// message is what oslo.messaging sends for a notification. Of the request's
// context it has what a consumer may know: no token.
type message struct {
	ID          string `json:"message_id"`
	PublisherID string `json:"publisher_id"`
	EventType   string `json:"event_type"`
	Priority    string `json:"priority"`
	Payload     event  `json:"payload"`
	Timestamp   string `json:"timestamp"`
	// UniqueID is by what consumers know a message that comes once more.
	UniqueID string `json:"_unique_id"`

	RequestID    string   `json:"_context_request_id"`
	UserID       string   `json:"_context_user_id"`
	UserName     string   `json:"_context_user_name"`
	UserDomainID string   `json:"_context_user_domain_id"`
	ProjectID    string   `json:"_context_project_id"`
	Roles        []string `json:"_context_roles"`
}

type event struct {
	TypeURI   string         `json:"typeURI"`
	EventType string         `json:"eventType"`
	ID        string         `json:"id"`
	EventTime string         `json:"eventTime"`
	Action    magnum.Action  `json:"action"`
	Outcome   magnum.Outcome `json:"outcome"`
	Observer  resource       `json:"observer"`
	Initiator resource       `json:"initiator"`
	Target    resource       `json:"target"`
}

type resource struct {
	ID          string       `json:"id"`
	TypeURI     string       `json:"typeURI"`
	Name        string       `json:"name,omitempty"`
	UserID      string       `json:"user_id,omitempty"`
	ProjectID   string       `json:"project_id,omitempty"`
	Attachments []attachment `json:"attachments,omitempty"`
}

type attachment struct {
	TypeURI string  `json:"typeURI"`
	Content content `json:"content"`
	Name    string  `json:"name"`
}

// content is what upstream tells of a cluster; pointers are null where it has
// no value.
type content struct {
	Status            magnum.Status        `json:"status"`
	StatusReason      *string              `json:"status_reason"`
	ProjectID         string               `json:"project_id"`
	CreatedAt         *string              `json:"created_at"`
	UpdatedAt         *string              `json:"updated_at"`
	ClusterTemplateID string               `json:"cluster_template_id"`
	Keypair           *string              `json:"keypair"`
	VolumeSizeColon   *int                 `json:"docker_volume_size:"` // upstream's slip, which consumers may know
	VolumeSize        *int                 `json:"docker_volume_size"`
	Labels            magnum.Labels        `json:"labels"`
	MasterFlavorID    *string              `json:"master_flavor_id"`
	FlavorID          *string              `json:"flavor_id"`
	StackID           *string              `json:"stack_id"`
	HealthStatus      *magnum.HealthStatus `json:"health_status"`
	CreateTimeout     int                  `json:"create_timeout"`
	APIAddress        *string              `json:"api_address"`
	DiscoveryURL      *string              `json:"discovery_url"`
	NodeAddresses     []string             `json:"node_addresses"`
	MasterAddresses   []string             `json:"master_addresses"`
	NodeCount         int                  `json:"node_count"`
	MasterCount       int                  `json:"master_count"`
}

// encoder makes messages.
type encoder struct {
	publisher string
	now       func() time.Time
	newID     func() string
}

func (e encoder) message(of *magnum.Event) (state.Message, error) {
	now := e.now().UTC()
	who := of.Operation.Initiator
	m := message{
		ID: e.newID(), PublisherID: e.publisher, EventType: "magnum.cluster." + string(of.Action), Priority: "INFO",
		Timestamp: now.Format("2006-01-02 15:04:05.000000"), UniqueID: strings.ReplaceAll(e.newID(), "-", ""),
		Payload: event{
			TypeURI: typeEvent, EventType: "activity", ID: e.newID(), EventTime: now.Format("2006-01-02T15:04:05.000000-0700"),
			Action: of.Action, Outcome: of.Outcome,
			Observer:  resource{ID: e.newID(), TypeURI: typeCluster},
			Initiator: resource{ID: e.newID(), TypeURI: typeUser, UserID: who.UserID, ProjectID: who.ProjectID},
			Target: resource{
				ID: of.Cluster.UUID, TypeURI: typeCluster, Name: of.Cluster.Name,
				Attachments: []attachment{{TypeURI: typeCluster, Content: contentOf(of.Cluster), Name: "cluster_data"}},
			},
		},
		RequestID: of.Operation.RequestID, UserID: who.UserID, UserName: who.UserName, UserDomainID: who.DomainID,
		ProjectID: who.ProjectID, Roles: append([]string{}, who.Roles...),
	}
	if of.Outcome == magnum.OutcomeFailure {
		m.Priority = "ERROR"
	}
	text, err := json.Marshal(m)
	if err != nil {
		return state.Message{}, fmt.Errorf("write the event of cluster %s: %w", of.Cluster.UUID, err)
	}
	return state.Message{EventType: m.EventType, Priority: m.Priority, Body: string(text)}, nil
}

func contentOf(c *magnum.Cluster) content {
	labels := c.Labels
	if labels == nil {
		labels = magnum.Labels{}
	}
	return content{
		Status: c.Status, StatusReason: known(c.StatusReason), ProjectID: c.ProjectID,
		CreatedAt: moment(c.CreatedAt), UpdatedAt: moment(c.UpdatedAt), ClusterTemplateID: c.ClusterTemplateID,
		Keypair: known(c.Keypair), VolumeSizeColon: known(c.DockerVolumeSize), VolumeSize: known(c.DockerVolumeSize),
		Labels: labels, MasterFlavorID: known(c.MasterFlavorID), FlavorID: known(c.FlavorID), StackID: known(c.StackID),
		HealthStatus: known(c.HealthStatus), CreateTimeout: c.CreateTimeout, APIAddress: known(c.APIAddress),
		DiscoveryURL: known(c.DiscoveryURL), NodeAddresses: c.Addresses(false), MasterAddresses: c.Addresses(true),
		NodeCount: c.NodeCount(), MasterCount: c.MasterCount(),
	}
}

// known is null for what has no value.
func known[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return &value
}

func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return known(t.UTC().Format("2006-01-02T15:04:05.000000"))
}

// envelope is oslo.messaging's second format: the message as a text within.
func envelope(body string) ([]byte, error) {
	return json.Marshal(struct {
		Version string `json:"oslo.version"`
		Message string `json:"oslo.message"`
	}{"2.0", body})
}

func newEncoder(host string) encoder {
	return encoder{publisher: "container-infra." + host, now: time.Now, newID: uuid.NewString}
}
