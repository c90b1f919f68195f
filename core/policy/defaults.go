package policy

// Rule is a rule of the service with what holds where no file says otherwise.
type Rule struct {
	Name string
	// Check is the rule in the language of policy files.
	Check string
	// Former is what held before the roles reader and member were looked at;
	// nil where nothing changed.
	Former *Former
	// Scopes are the kinds of token the rule is open to at all; none is any.
	Scopes []string
	// About says what the rule decides, as far as its name does not.
	About string
}

// Former is a rule's classic form.
type Former struct {
	Check string
	// Names are the classic rules in whose place the new one stands. A file
	// that changes one of them means the new one as well.
	Names []string
}

// Defaults returns all rules of the service: first those that others are made
// of, then those that requests are checked by. Names and checks are upstream's
// as far as it has them; clusters' nodes, whose users upstream dropped, keep
// what they need, the rules with cluster_user in them.
func Defaults() []Rule {
	rules := []Rule{
		{Name: Admin, Check: "role:admin", About: "who is an administrator; is_admin in other rules"},
		{Name: "admin_api", Check: "rule:context_is_admin", About: "what only administrators may do"},
		{Name: "is_user", Check: "user_id:%(user_id)s", About: "the object's owner"},
		{Name: "cluster_user", Check: "user_id:%(trustee_user_id)s", About: "a cluster's own node"},
		{Name: "project_reader", Check: "role:reader and project_id:%(project_id)s"},
		{Name: "project_member", Check: "role:member and project_id:%(project_id)s"},

		{Name: "admin_or_owner", Check: "is_admin:True or project_id:%(project_id)s", About: classic},
		{Name: "admin_or_user", Check: "is_admin:True or user_id:%(user_id)s", About: classic},
		{Name: "deny_cluster_user", Check: "not domain_id:%(trustee_domain_id)s", About: classic},
	}
	owner := &Former{"rule:admin_or_owner", []string{"admin_or_owner"}}
	user := &Former{"rule:admin_or_user or rule:cluster_user", []string{"admin_or_user"}}
	notNode := &Former{"rule:deny_cluster_user", []string{"deny_cluster_user"}}
	rules = append(rules, []Rule{
		{Name: "admin_or_project_reader", Check: admin + " or rule:project_reader", Former: owner},
		{Name: "admin_or_project_member", Check: admin + " or rule:project_member", Former: owner},
		{Name: "admin_or_project_reader_deny_cluster_user", Check: admin + " or rule:project_reader", Former: notNode},
		{Name: "admin_or_project_member_deny_cluster_user", Check: admin + " or rule:project_member", Former: notNode},
		{Name: "project_member_deny_cluster_user", Check: "rule:project_member", Former: notNode},
		{Name: "admin_or_project_reader_user_or_cluster_user", Former: user,
			Check: admin + " or (rule:project_reader and rule:is_user) or rule:cluster_user"},
		{Name: "admin_or_project_member_user_or_cluster_user", Former: user,
			Check: admin + " or (rule:project_member and rule:is_user) or rule:cluster_user"},
	}...)

	add := func(base, about string, names ...string) {
		r := Rule{Check: "rule:" + base, About: about}
		if base != adminAPI {
			r.Scopes = []string{"project"}
		}
		for _, name := range names {
			r.Name = name
			rules = append(rules, r)
		}
	}
	const (
		reads  = "admin_or_project_reader_deny_cluster_user"
		writes = "admin_or_project_member_deny_cluster_user"
		own    = "admin_or_project_member_user_or_cluster_user"
	)
	add(reads, "", "cluster:detail", "cluster:get", "cluster:get_all")
	add(writes, "", "cluster:create", "cluster:delete", "cluster:resize", "cluster:update", "cluster:upgrade")
	add(own, "asked of every change of a cluster, for no object", "cluster:update_health_status")
	add(adminAPI, everywhere, "cluster:delete_all_projects", "cluster:detail_all_projects", "cluster:get_all_all_projects",
		"cluster:get_one_all_projects", "cluster:update_all_projects", "cluster:upgrade_all_projects")

	add(reads, "", "clustertemplate:detail", "clustertemplate:get", "clustertemplate:get_all")
	add(writes, "", "clustertemplate:create")
	add("admin_or_project_member", "", "clustertemplate:delete", "clustertemplate:update")
	add(adminAPI, "public and hidden of a template", "clustertemplate:publish")
	add(adminAPI, everywhere, "clustertemplate:delete_all_projects", "clustertemplate:detail_all_projects",
		"clustertemplate:get_all_all_projects", "clustertemplate:get_one_all_projects", "clustertemplate:update_all_projects")

	add("admin_or_project_reader", "", "nodegroup:get", "nodegroup:get_all")
	add("admin_or_project_member", "", "nodegroup:create", "nodegroup:delete", "nodegroup:update")
	add(adminAPI, everywhere, "nodegroup:get_all_all_projects", "nodegroup:get_one_all_projects")

	add(own, "", "certificate:create")
	add("admin_or_project_reader_user_or_cluster_user", "", "certificate:get")
	add("admin_or_project_member", "", "certificate:rotate_ca")
	add("project_member_deny_cluster_user", "an administrator alone is not enough: what is made belongs to the caller", "credential:rotate")

	add("admin_or_project_reader", "", "quota:get", "stats:get_all")
	add(adminAPI, "", "quota:create", "quota:delete", "quota:get_all", "quota:update", "magnum-service:get_all")

	add(reads, "", "federation:detail", "federation:get", "federation:get_all")
	add(writes, "", "federation:create", "federation:delete", "federation:update")

	add(reads, "", "bay:detail", "bay:get", "bay:get_all", "baymodel:detail", "baymodel:get", "baymodel:get_all")
	add(writes, "", "bay:create", "bay:delete", "bay:update", "baymodel:create", "baymodel:delete", "baymodel:update")
	add(adminAPI, "public, hidden and tags of a baymodel", "baymodel:publish")
	return rules
}

const (
	admin    = "rule:" + Admin
	adminAPI = "admin_api"
	classic  = "classic: a file that changes it changes the rules that took its place"
	// everywhere is what all rules for all projects are about.
	everywhere = "asked of an administrator besides the rule without all_projects: objects of every project"
)
