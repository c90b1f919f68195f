package drivertest

// Rules are those that the suite checks, in the order of the contract, which
// explains them.
func Rules() []Rule {
	return []Rule{
		{"DRV-002", "the describe subcommand", checkDescribeCommand},
		{"DRV-004", "start", checkStart},
		{"DRV-006", "handshake", checkHandshake},
		{"DRV-007", "handshake with a newer core", checkNewerCore},
		{"DRV-008", "services are those named", checkServices},

		{"DRV-010", "one description", checkOneDescription},
		{"DRV-011", "description in time", checkDescribeTime},
		{"DRV-012", "schemas", checkSchemas},
		{"DRV-013", "name, version, maturity and cluster types", checkIdentity},
		{"DRV-014", "limits", checkLimits},
		{"DRV-015", "upgrade labels", checkUpgradeLabels},

		{"DRV-020", "configuration", checkConfigure},
		{"DRV-022", "probe", checkProbe},

		{"DRV-030", "same request, same bytes", checkDeterminism},
		{"DRV-031", "same bytes after a restart", checkRestart},
		{"DRV-032", "promised intents", checkPromised},
		{"DRV-033", "intents not promised", checkNotPromised},
		{"DRV-034", "unknown intent", checkUnknownIntent},
		{"DRV-035", "unknown node group", checkUnknownGroup},
		{"DRV-036", "templates are valid", checkTemplates},
		{"DRV-037", "parameters fit", checkParameters},
		{"DRV-038", "secrets in hidden parameters", checkHidden},
		{"DRV-039", "known secrets", checkKnownSecrets},
		{"DRV-040", "resource types", checkResourceTypes},
		{"DRV-041", "labels as described", checkLabels},
		{"DRV-042", "labels that are wrong", checkWrongLabels},
		{"DRV-043", "labels that are unknown", checkUnknownLabels},
		{"DRV-044", "network and volume drivers", checkDriversChoice},

		{"DRV-050", "outputs of an unfinished stack", checkNoOutputs},
		{"DRV-051", "patches of own node groups", checkPatches},
		{"DRV-052", "clean-ups name the cluster", checkCleanups},

		{"DRV-060", "nodes selected", checkSelection},
		{"DRV-065", "health", checkHealth},
		{"DRV-068", "credentials stay out of answers", checkCanary},

		{"DRV-070", "operations begin once", checkBegin},
		{"DRV-071", "events from where they were left", checkWatch},
		{"DRV-072", "operations outlive the process", checkResume},
		{"DRV-073", "operations cancelled", checkCancel},
		{"DRV-074", "certificates asked for", checkCertificate},

		{"DRV-080", "errors of the contract", checkErrorForm},
		{"DRV-081", "empty requests", checkEmpty},
		{"DRV-082", "hostile requests", checkHostile},

		{"DRV-091", "a message of 15 MiB", checkLargeMessage},
		{"DRV-093", "64 calls at once", checkConcurrent},
		{"DRV-094", "calls given up", checkAbandoned},

		{"DRV-100", "drain", checkDrain},
		{"DRV-101", "end at SIGTERM", checkTerm},
		{"DRV-102", "calls in flight at SIGTERM", checkTermInFlight},
		{"DRV-103", "end with the host", checkHangUp},
		{"DRV-104", "stopped and continued", checkStopped},
	}
}
