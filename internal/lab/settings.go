package lab

import (
	"context"
	"fmt"
	"strconv"

	"netdash/internal/topology"
)

// bootKey is the key under which the store keeps the boot id, see Restore.
const bootKey = "boot_id"

// settingKeys are the keys under which the store keeps Settings, each as text.
var settingKeys = []string{"repair", "restore", "history"}

func settingText(s topology.Settings, key string) string {
	return map[string]string{"repair": s.Repair, "restore": s.Restore, "history": strconv.Itoa(s.History)}[key]
}

// withSetting gives the settings with one of them replaced.
func withSetting(s topology.Settings, key, text string) (topology.Settings, error) {
	var err error
	switch key {
	case "repair":
		s.Repair = text
	case "restore":
		s.Restore = text
	case "history":
		s.History, err = strconv.Atoi(text)
	}
	if err == nil {
		err = s.Validate()
	}
	return s, err
}

// loadSettings reads the settings. What cannot be read any more, or was never
// set, is as by default: a start does not fail for it.
func (l *Lab) loadSettings(ctx context.Context) error {
	l.settings = topology.DefaultSettings()
	for _, key := range settingKeys {
		text, known, err := l.store.Setting(ctx, key)
		switch {
		case err != nil:
			return fmt.Errorf("load the settings: %w", err)
		case !known:
			continue
		}
		if s, err := withSetting(l.settings, key, text); err != nil {
			l.log.Error("a stored setting is not valid; the default is used", "setting", key, "value", text, "error", err)
		} else {
			l.settings = s
		}
	}
	l.repairs = topology.RepairState{Mode: l.settings.Repair, State: topology.RepairIdle}
	return nil
}

// Settings gives what is set.
func (l *Lab) Settings() topology.Settings {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.settings
}

// SetSettings changes settings and gives what they are then. Invalid ones are
// refused with an Error of code invalid, and nothing is changed. A dry run only
// checks.
func (l *Lab) SetSettings(ctx context.Context, patch topology.SettingsPatch, dryRun bool) (topology.Settings, error) {
	l.setting.Lock()
	defer l.setting.Unlock()
	was := l.Settings()
	s := patch.Apply(was)
	if err := s.Validate(); err != nil || dryRun {
		return s, err
	}
	for _, key := range settingKeys {
		text := settingText(s, key)
		if text == settingText(was, key) {
			continue
		}
		if err := l.store.SetSetting(ctx, key, text); err != nil {
			return l.Settings(), err
		}
		now, err := withSetting(l.Settings(), key, text)
		if err != nil {
			return l.Settings(), err
		}
		l.mu.Lock()
		l.settings = now
		l.mu.Unlock()
	}
	l.wake()
	return s, nil
}
