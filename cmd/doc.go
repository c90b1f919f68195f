// Package cmd is wiring only: one folder for each executable, each main a
// recipe that fits on a screen.
package cmd
