package keystone

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/go-magnum/magnum/core/magnum"
)

// Identity is who calls, as Keystone vouches for it.
type Identity struct {
	UserID, UserName         string
	UserDomainID, DomainName string
	ProjectID, ProjectName   string
	ProjectDomainID          string
	Roles                    []string
	// SystemScope and ScopeDomainID are set where the token is for the whole
	// system or for a domain, and not for a project.
	SystemScope   bool
	ScopeDomainID string
	// Token is the caller's own, to act with. Never log it.
	Token     string
	ExpiresAt time.Time
	// ClusterUUID is set when the caller is the trustee of that cluster: a
	// node. Its token has no project; ProjectID is then the cluster's.
	ClusterUUID string
	// Service is who passes the caller's request on; nil without a service
	// token. Do not change it.
	Service *Service
}

// Service is a service whose token came with a request.
type Service struct {
	UserID, UserDomainID       string
	ProjectID, ProjectDomainID string
	Roles                      []string
}

// IsAdminRole reports whether the caller has upstream's admin role.
func (i *Identity) IsAdminRole() bool {
	return slices.ContainsFunc(i.Roles, func(r string) bool { return strings.EqualFold(r, "admin") })
}

// Initiator is what is kept of the caller with an operation.
func (i *Identity) Initiator() magnum.Initiator {
	return magnum.Initiator{
		UserID: i.UserID, UserName: i.UserName, ProjectID: i.ProjectID,
		Roles: slices.Clone(i.Roles), DomainID: i.UserDomainID,
	}
}

func (i *Identity) service() *Service {
	return &Service{
		UserID: i.UserID, UserDomainID: i.UserDomainID, ProjectID: i.ProjectID, ProjectDomainID: i.ProjectDomainID,
		Roles: slices.Clone(i.Roles),
	}
}

func (i *Identity) clone() *Identity {
	c := *i
	c.Roles = slices.Clone(i.Roles)
	return &c
}

// TrusteeName is the name of a cluster's trustee: nodes are recognised by it.
func TrusteeName(clusterUUID, projectID string) string { return clusterUUID + "_" + projectID }

// asTrustee recognises a node. Only the trustee domain's admin can make users
// there, so the name can be believed; the same name in another domain, or a
// token that has a scope, proves nothing.
func (k *Client) asTrustee(i *Identity, scoped bool, domainName string) {
	t := k.cfg.Trust
	inDomain := t.DomainID != "" && i.UserDomainID == t.DomainID ||
		t.DomainID == "" && t.DomainName != "" && domainName == t.DomainName
	if scoped || !inDomain {
		return
	}
	cluster, project, ok := strings.Cut(i.UserName, "_")
	if !ok || project == "" || uuid.Validate(cluster) != nil || len(cluster) != 36 {
		return
	}
	i.ClusterUUID, i.ProjectID = cluster, project
}

func roleNames(roles []tokens.Role) []string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = r.Name
	}
	return names
}
