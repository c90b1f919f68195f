package store

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Change says who changes what is active, and why. Both are for the record.
type Change struct{ By, Reason string }

// Generation records that a version became the active one, or, without a
// version, that none is active any more.
type Generation struct {
	Number      int       `json:"generation"`
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	Digest      string    `json:"digest"`
	ActivatedAt time.Time `json:"activated_at"`
	By          string    `json:"by,omitempty"`
	Reason      string    `json:"reason"`
	// RolledBackTo is the generation that a rollback went to.
	RolledBackTo int `json:"rolled_back_to,omitempty"`
}

// Generations lists what was active of a driver, oldest first.
func (s *Store) Generations(name string) ([]Generation, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	dir := filepath.Join(s.dir, generationsDir, name)
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		return nil, nil
	}
	files, err := s.list(filepath.Join(generationsDir, name))
	if err != nil {
		return nil, err
	}
	var generations []Generation
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return nil, fmt.Errorf("read generation %s of driver %s: %w", file, name, err)
		}
		var g Generation
		if err := json.Unmarshal(text, &g); err != nil {
			return nil, fmt.Errorf("read generation %s of driver %s: %w", file, name, err)
		}
		generations = append(generations, g)
	}
	return generations, nil
}

// activate records a generation and then points the active link at the
// package. The record comes first: a crash in between leaves one too many,
// which harms nobody.
func (s *Store) activate(p Package, g Generation) error {
	link := s.activeLink(p.Name)
	if now, err := s.readLink(link); err == nil && now == p.Digest {
		return nil
	}
	g.Name, g.Version, g.Digest = p.Name, p.Version, p.Digest
	if err := s.record(g); err != nil {
		return fmt.Errorf("activate driver %s: %w", p, err)
	}
	temp := filepath.Join(filepath.Dir(link), ".new-"+p.Name)
	_ = os.Remove(temp)
	if err := os.Symlink(filepath.Join("..", contentDir, p.Digest), temp); err != nil {
		return fmt.Errorf("activate driver %s: %w", p, err)
	}
	if err := os.Rename(temp, link); err != nil {
		return fmt.Errorf("activate driver %s: %w", p, err)
	}
	return syncDir(filepath.Dir(link))
}

// record writes the next generation of a driver. It is whole or not there: it
// gets its name when it is written.
func (s *Store) record(g Generation) error {
	dir := filepath.Join(s.dir, generationsDir, g.Name)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	next, err := s.nextGeneration(g.Name)
	if err != nil {
		return err
	}
	g.Number, g.ActivatedAt = next, s.Now().UTC()
	text, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		return err
	}
	temp := filepath.Join(dir, ".new")
	_ = os.Remove(temp)
	err = writeFile(temp, 0o644, func(f *os.File) error {
		_, err := f.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return err
	}
	if err := os.Rename(temp, filepath.Join(dir, fmt.Sprintf("%04d.json", next))); err != nil {
		return err
	}
	return syncDir(dir)
}

func (s *Store) nextGeneration(name string) (int, error) {
	files, err := s.list(filepath.Join(generationsDir, name))
	if err != nil {
		return 0, err
	}
	highest := 0
	for _, file := range files {
		n, err := strconv.Atoi(strings.TrimSuffix(file, ".json"))
		if err != nil {
			return 0, fmt.Errorf("%s is not a generation", filepath.Join(generationsDir, name, file))
		}
		highest = max(highest, n)
	}
	return highest + 1, nil
}
