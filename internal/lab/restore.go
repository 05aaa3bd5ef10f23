package lab

import (
	"context"
	"fmt"

	"netdash/internal/topology"
)

// Restore reconciles everything once when the machine has been started anew since
// the last time, which its boot id tells (/proc/sys/kernel/random/boot_id):
// namespaces die with the machine, the intended topology does not. It does so only
// while the setting restore is on_start. It is called once, after Recover.
//
// When the boot id is the one of last time nothing is changed: what is not as
// intended has drifted, and is shown. So it is the first time a database is used,
// or the first time since netdash notes boot ids: what is missing then may be
// missing on purpose. The boot id is noted when the attempt is over, however it
// ended, so that only one that was cut off is made again.
func (l *Lab) Restore(ctx context.Context, bootID string) error {
	if bootID == "" {
		return topology.Errorf(topology.CodeUnsupported, "", "the kernel tells no boot id, so a reboot cannot be noticed")
	}
	last, known, err := l.store.Setting(ctx, bootKey)
	if err != nil || last == bootID {
		return err
	}
	if known && l.Settings().Restore == topology.RestoreOnStart {
		if _, err = l.Reconcile(ctx, Request{Author: author, Text: "restore after a reboot"}, nil); err != nil {
			err = fmt.Errorf("restore after a reboot: %w", err)
		}
		if ctx.Err() != nil {
			return err
		}
	}
	if noted := l.store.SetSetting(ctx, bootKey, bootID); noted != nil && err == nil {
		err = noted
	}
	return err
}
