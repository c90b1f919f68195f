package api

import (
	"net/http"
	"time"

	"github.com/go-magnum/magnum/core/state"
)

func (a *api) listServices(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	if err := rq.enforce(rq); err != nil {
		return nil, err
	}
	all, err := a.DB.Services(rq.Context())
	if err != nil {
		return nil, err
	}
	silence := time.Duration(a.Options.Default.ServiceDownTime) * time.Second
	var e encoder
	e.openList("mservices")
	for i := range all {
		s := &all[i]
		condition := "down"
		if isUp(s, a.Now(), silence) {
			condition = "up"
		}
		e.open('{')
		e.int("id", int(s.ID))
		e.str("host", s.Host)
		e.str("binary", s.Binary)
		e.str("state", condition)
		e.bool("disabled", s.Disabled)
		e.text("disabled_reason", s.DisabledReason)
		e.int("report_count", s.ReportCount)
		e.time("created_at", s.CreatedAt)
		e.time("updated_at", s.UpdatedAt)
		e.close('}')
	}
	e.close(']')
	e.close('}')
	return &answer{status: http.StatusOK, body: e.b}, nil
}

// isUp reports whether a service was heard of lately. A time too far in the
// future counts as silence, too: one of the two clocks is wrong.
func isUp(s *state.Service, now time.Time, silence time.Duration) bool {
	last := s.LastSeenUp
	if last.IsZero() {
		last = s.UpdatedAt
	}
	if last.IsZero() {
		last = s.CreatedAt
	}
	return !s.ForcedDown && now.Sub(last).Abs() <= silence
}
