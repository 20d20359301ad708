package account

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tidings/address"
	"tidings/event"
)

// kindScanner keeps the scanners that a workspace has adopted, by domain.
const kindScanner = "scanner"

// Bounds of scanners.
const (
	maxScanners        = 500
	maxScannerNetworks = 16
	maxDomain          = 253
	maxScannerReason   = 500
	// widest are how many bits a network must have at least: a wider one would
	// hold people.
	widest4, widest6 = 16, 32
)

// Scanner is a recipient's domain and the networks that scan the mails to it.
// What comes from them about that domain is a machine's.
type Scanner struct {
	Domain   string         `json:"domain"`
	Networks []netip.Prefix `json:"networks"`
	Reason   string         `json:"reason,omitempty"`
	User     string         `json:"user,omitempty" doc:"who adopted it"`
	At       time.Time      `json:"at" doc:"since when it counts, a minute later at most"`
}

// ScannerRequest adopts a scanner.
type ScannerRequest struct {
	Networks []string `json:"networks" minItems:"1" maxItems:"16" doc:"prefixes such as 192.0.2.0/24, at least /16 and, of IPv6, /32; or addresses"`
	Reason   string   `json:"reason,omitempty" maxLength:"500" doc:"why, for colleagues"`
}

// Prefixes reads the networks that were asked for, each once and in order, and
// checks the reason.
func (r ScannerRequest) Prefixes() ([]netip.Prefix, *event.FieldError) {
	if len(r.Networks) == 0 || len(r.Networks) > maxScannerNetworks {
		return nil, event.Invalid("networks", fmt.Sprintf("must be 1 to %d", maxScannerNetworks))
	}
	if len(r.Reason) > maxScannerReason || !utf8.ValidString(r.Reason) {
		return nil, event.Invalid("reason", fmt.Sprintf("may have %d bytes of UTF-8", maxScannerReason))
	}
	networks := make([]netip.Prefix, len(r.Networks))
	for i, text := range r.Networks {
		network, problem := scannerNetwork(text)
		if problem != "" {
			return nil, event.Invalid(fmt.Sprintf("networks[%d]", i), problem)
		}
		networks[i] = network
	}
	slices.SortFunc(networks, netip.Prefix.Compare)
	return slices.Compact(networks), nil
}

// scannerNetwork reads a prefix or an address; problem says what is wrong with it.
func scannerNetwork(text string) (network netip.Prefix, problem string) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			return network, "is neither a prefix such as 192.0.2.0/24 nor an address"
		}
		address = address.Unmap()
		network = netip.PrefixFrom(address, address.BitLen())
	}
	switch {
	case network.Addr().Is4In6():
		return network, "is an IPv4 network written as IPv6"
	case network.Addr().Is4() && network.Bits() < widest4:
		return network, fmt.Sprintf("is wider than /%d", widest4)
	case network.Addr().Is6() && network.Bits() < widest6:
		return network, fmt.Sprintf("is wider than /%d", widest6)
	}
	return network.Masked(), ""
}

// Scanners keeps the scanners that workspaces have adopted.
type Scanners struct{ records Records }

// NewScanners keeps scanners in records.
func NewScanners(records Records) *Scanners { return &Scanners{records} }

// List returns what a workspace has adopted, by domain.
func (s *Scanners) List(ctx context.Context, workspace string) ([]Scanner, error) {
	adopted, err := List[Scanner](ctx, s.records, workspace, kindScanner)
	if err != nil {
		return nil, fmt.Errorf("read scanners: %w", err)
	}
	return adopted, nil
}

// Adopt keeps a scanner over one of the same domain.
func (s *Scanners) Adopt(ctx context.Context, workspace string, scanner Scanner) error {
	adopted, err := s.List(ctx, workspace)
	if err != nil {
		return err
	}
	known := slices.ContainsFunc(adopted, func(a Scanner) bool { return a.Domain == scanner.Domain })
	if !known && len(adopted) >= maxScanners {
		return event.Invalid("domain", fmt.Sprintf("is one more than the %d that a workspace may have", maxScanners))
	}
	return Put(ctx, s.records, workspace, kindScanner, scanner.Domain, scanner)
}

// Remove takes a scanner back; ErrNotFound when there is none.
func (s *Scanners) Remove(ctx context.Context, workspace, domain string) error {
	if _, err := s.records.Get(ctx, workspace, kindScanner, domain); err != nil {
		return fmt.Errorf("find scanner: %w", err)
	}
	if err := s.records.Delete(ctx, workspace, kindScanner, domain); err != nil {
		return fmt.Errorf("delete scanner: %w", err)
	}
	return nil
}

// networks are what a workspace has adopted, by domain.
func (s *Scanners) networks(ctx context.Context, workspace string) (map[string][]netip.Prefix, error) {
	adopted, err := s.List(ctx, workspace)
	if err != nil {
		return nil, err
	}
	networks := make(map[string][]netip.Prefix, len(adopted))
	for _, scanner := range adopted {
		networks[scanner.Domain] = scanner.Networks
	}
	return networks, nil
}

// ScannerDomain reads a domain: it is lowered.
func ScannerDomain(text string) (string, *event.FieldError) {
	domain := address.Domain(text)
	switch {
	case domain == "" || len(domain) > maxDomain || !utf8.ValidString(domain):
		return "", event.Invalid("domain", fmt.Sprintf("must have 1 to %d bytes of UTF-8", maxDomain))
	case strings.ContainsFunc(domain, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '@' || r == '/' }):
		return "", event.Invalid("domain", "is what follows the @ of an address")
	}
	return domain, nil
}
