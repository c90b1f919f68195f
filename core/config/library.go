package config

import (
	"path"
	"slices"
)

// ofLibrary reports whether an option belongs to a Python library that
// upstream Magnum is built on. A working magnum.conf is full of them; that
// they have no effect here is not worth a line each.
func ofLibrary(key optionKey) bool {
	return slices.ContainsFunc(libraryOptions(key.section), func(pattern string) bool {
		matched, err := path.Match(pattern, key.option)
		return err == nil && matched
	})
}

func libraryOptions(section string) []string {
	switch section {
	case "healthcheck", "oslo_limit", "oslo_messaging_amqp", "oslo_messaging_kafka",
		"oslo_messaging_rabbit", "oslo_middleware", "oslo_reports", "oslo_versionedobjects", "profiler", "ssl":
		return []string{"*"}
	case "database":
		return []string{
			"backend", "connection_*", "db_*", "max_*", "mysql_*", "pool_timeout",
			"retry_interval", "slave_connection", "sqlite_*",
		}
	case "keystone_authtoken":
		return []string{
			"auth_version", "cache", "memcache_password", "memcache_pool_*", "memcache_tls_*",
			"memcache_use_advanced_pool", "memcache_username", "signing_dir",
		}
	case "keystone_auth":
		return []string{"collect_timing", "split_loggers"}
	case sectionDefault:
		return []string{
			"backdoor_*", "client_socket_timeout", "control_exchange", "default_log_levels", "executor_thread_*",
			"fatal_deprecations", "graceful_shutdown_timeout", "instance_*", "log_*", "logging_*", "max_header_line",
			"max_logfile_*", "publish_errors", "rate_limit_*", "rpc_*", "run_external_periodic_tasks", "syslog_*",
			"tcp_keepidle", "use_eventlog", "use_journal", "use_syslog", "watch_log_file", "wsgi_*",
		}
	}
	return nil
}
