package topology

import "time"

// Settings are what can be set for a lab while netdash runs.
type Settings struct {
	Repair  string `json:"repair" enum:"manual,auto" doc:"auto reconciles by itself when something drifts."`
	Restore string `json:"restore" enum:"on_start,never" doc:"on_start reconciles when netdash starts after a reboot."`
	History int    `json:"history" minimum:"0" doc:"How many operations the journal keeps; 0 for all."`
}

// The values of Settings.
const (
	RepairManual   = "manual"
	RepairAuto     = "auto"
	RestoreOnStart = "on_start"
	RestoreNever   = "never"
)

// DefaultSettings are those of a lab nobody has set anything for.
func DefaultSettings() Settings {
	return Settings{Repair: RepairManual, Restore: RestoreOnStart, History: 10000}
}

// Validate tells all that is wrong with the settings: an Error of code invalid
// whose Fields point into them.
func (s Settings) Validate() error {
	var wrong []FieldError
	if s.Repair != RepairManual && s.Repair != RepairAuto {
		wrong = append(wrong, FieldError{Pointer: "/repair", Detail: "must be manual or auto"})
	}
	if s.Restore != RestoreOnStart && s.Restore != RestoreNever {
		wrong = append(wrong, FieldError{Pointer: "/restore", Detail: "must be on_start or never"})
	}
	if s.History < 0 {
		wrong = append(wrong, FieldError{Pointer: "/history", Detail: "must not be negative; 0 keeps all"})
	}
	if wrong == nil {
		return nil
	}
	return &Error{Code: CodeInvalid, Detail: "the settings are not valid", Fields: wrong}
}

// SettingsPatch changes some Settings; an absent field stays.
type SettingsPatch struct {
	Repair  *string `json:"repair,omitempty" enum:"manual,auto" doc:"auto reconciles by itself when something drifts."`
	Restore *string `json:"restore,omitempty" enum:"on_start,never" doc:"on_start reconciles when netdash starts after a reboot."`
	History *int    `json:"history,omitempty" minimum:"0" doc:"How many operations the journal keeps; 0 for all."`
}

// Apply gives the settings as the patch has them.
func (p SettingsPatch) Apply(s Settings) Settings {
	set(&s.Repair, p.Repair)
	set(&s.Restore, p.Restore)
	set(&s.History, p.History)
	return s
}

// RepairState is what netdash does about drift by itself.
type RepairState struct {
	Mode  string `json:"mode" enum:"manual,auto" doc:"The setting of that name."`
	State string `json:"state" enum:"idle,waiting,backing_off" doc:"waiting: something is in the way, see reason; backing_off: something keeps undoing it, see next_at."`
	// Attempts counts how often in a row the same was repaired, or tried in vain.
	Attempts int        `json:"attempts,omitempty" doc:"How often in a row the same was repaired, or tried in vain."`
	NextAt   *time.Time `json:"next_at,omitempty" doc:"When it is tried again; until then only what else drifts is repaired."`
	Reason   string     `json:"reason,omitempty"`
	Subjects []string   `json:"subjects,omitempty" doc:"What is left as it is for now."`
}

// The states of RepairState.
const (
	RepairIdle       = "idle"
	RepairWaiting    = "waiting"
	RepairBackingOff = "backing_off"
)
