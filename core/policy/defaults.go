package policy

// Defaults returns upstream's rules in their classic form (role names such as
// member are not demanded), with one thing changed on purpose: who has the
// role reader and not the role member reads only.
func Defaults() map[string]string {
	rules := map[string]string{
		"context_is_admin":  "role:admin",
		"admin_api":         "rule:context_is_admin",
		"admin_or_owner":    "is_admin:True or project_id:%(project_id)s",
		"admin_or_user":     "is_admin:True or user_id:%(user_id)s",
		"cluster_user":      "user_id:%(trustee_user_id)s",
		"deny_cluster_user": "not domain_id:%(trustee_domain_id)s",
		"read_only":         "not is_admin:True and role:reader and not role:member",
		"writer":            "rule:deny_cluster_user and not rule:read_only",
		"owner_writer":      "rule:admin_or_owner and rule:deny_cluster_user and not rule:read_only",
		"user_writer":       "rule:admin_or_user and not rule:read_only",

		"cluster:update_health_status": "rule:user_writer or rule:cluster_user",

		"certificate:create":    "rule:user_writer or rule:cluster_user",
		"certificate:get":       "rule:admin_or_user or rule:cluster_user",
		"certificate:rotate_ca": "rule:owner_writer",
		"credential:rotate":     "rule:owner_writer",

		"quota:get":               "rule:admin_or_owner",
		"stats:get_all":           "rule:admin_or_owner",
		"magnum-service:get_all":  "rule:admin_api",
		"clustertemplate:publish": "rule:admin_api",
		"baymodel:publish":        "rule:admin_api",
		"clustertemplate:update":  "rule:owner_writer",
		"clustertemplate:delete":  "rule:owner_writer",
		"nodegroup:get":           "rule:admin_or_owner",
		"nodegroup:get_all":       "rule:admin_or_owner",
		"nodegroup:create":        "rule:owner_writer",
		"nodegroup:update":        "rule:owner_writer",
		"nodegroup:delete":        "rule:owner_writer",
		"federation:create":       "rule:writer",
		"federation:update":       "rule:writer",
		"federation:delete":       "rule:writer",
		"federation:get":          "rule:deny_cluster_user",
		"federation:get_all":      "rule:deny_cluster_user",
		"federation:detail":       "rule:deny_cluster_user",
		"clustertemplate:create":  "rule:writer",
		"clustertemplate:get":     "rule:deny_cluster_user",
		"clustertemplate:get_all": "rule:deny_cluster_user",
		"clustertemplate:detail":  "rule:deny_cluster_user",
		"cluster:create":          "rule:writer",
		"cluster:delete":          "rule:writer",
		"cluster:update":          "rule:writer",
		"cluster:resize":          "rule:writer",
		"cluster:upgrade":         "rule:writer",
		"cluster:get":             "rule:deny_cluster_user",
		"cluster:get_all":         "rule:deny_cluster_user",
		"cluster:detail":          "rule:deny_cluster_user",
	}
	for _, kind := range []string{"bay", "baymodel"} {
		for _, verb := range []string{"create", "update", "delete"} {
			rules[kind+":"+verb] = "rule:writer"
		}
		for _, verb := range []string{"get", "get_all", "detail"} {
			rules[kind+":"+verb] = "rule:deny_cluster_user"
		}
	}
	for _, verb := range []string{"create", "update", "delete", "get_all"} {
		rules["quota:"+verb] = "rule:admin_api"
	}
	for _, name := range []string{
		"cluster:delete", "cluster:detail", "cluster:get_all", "cluster:get_one", "cluster:update", "cluster:upgrade",
		"clustertemplate:delete", "clustertemplate:detail", "clustertemplate:get_all", "clustertemplate:get_one", "clustertemplate:update",
		"nodegroup:get_all", "nodegroup:get_one",
	} {
		rules[name+"_all_projects"] = "rule:admin_api"
	}
	return rules
}
