package hot

// Bounds on what a template may make us do. The first four are Heat's own
// defaults.
const (
	MaxTemplateBytes = 524288
	MaxNestedDepth   = 5
	MaxResources     = 1000
	MaxStackBytes    = 8 << 20 // template and files together

	maxYAMLNodes  = 200000 // after aliases are expanded
	maxYAMLDepth  = 100
	maxSteps      = 2000000 // values looked at in one evaluation
	maxValueBytes = 16 << 20
)
