package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"tidings/account"
	"tidings/api/hooks"
	"tidings/audit"
	"tidings/limit"
	"tidings/notify"
	"tidings/outbound"
	"tidings/secret"
	"tidings/tracing"
)

// Config is what a Server stands on. Intake, Feed, Suggester, Contacts, Reports, Records,
// DeadLetters, Weeks, Eraser, Verdicts and Rand are needed; the rest may be left out.
type Config struct {
	Intake    Intake
	Feed      Feed
	Suggester Suggester
	Contacts  Contacts
	Reports   Reports
	Records   Records
	// Known may be nil: no event is known then before it is taken in.
	Known Known
	// Directory is the one that the other parts of the process read, so that they
	// see at once what is changed here; made from Records when nil.
	Directory   *account.Directory
	DeadLetters DeadLetters
	Weeks       Weeks
	Eraser      Eraser
	// Samples are made-up events to look around with; nil where there are none.
	Samples Samples
	// Erasures knows who was erased. Without it nobody is refused.
	Erasures Erasures
	Verdicts Verdicts

	// Notify decides who is told of what. Without it there are no such routes.
	Notify *notify.Engine

	// Audit is the audit log. Without it nothing is on record.
	Audit *audit.Log

	// Mail sends a text to an address; nil where no mail server is set.
	Mail func(ctx context.Context, to, subject, text string) error

	// Ready checks the dependencies; an error by name, nil for one that is up.
	// Without it the server is always ready.
	Ready func(context.Context) map[string]error
	// ReadySelf is Ready without what processes share.
	ReadySelf func(context.Context) map[string]error
	// Metrics is what /metrics shows and what the server counts into.
	Metrics *prometheus.Registry
	// Web serves the application: every GET that no other route takes.
	Web http.Handler
	// Live and SSE serve /v1/live and /v1/live/sse, behind the check of who is
	// asking: CallerFrom has them, with Gone set.
	Live, SSE http.Handler
	// Tracer may be nil.
	Tracer *tracing.Tracer
	// Hooks are the vendors whose webhooks are understood; all of them when nil,
	// with one-time tokens that this process alone remembers.
	Hooks *hooks.Hooks
	// Secrets seals what may not lie in the clear. Without it sources are kept in the
	// clear, and other secrets cannot be kept.
	Secrets *secret.Box
	// Endpoints is nil where nothing is sent to anybody.
	Endpoints *Endpoints
	// Understander reads the searches of endpoints; needed with Endpoints.
	Understander LiveQuestions
	// Outbound makes calls to what others name; public addresses alone when nil.
	Outbound *outbound.Client

	// Graph replaces the address of Microsoft Graph in tests.
	Graph string

	// Lives say how long sessions live.
	Lives account.Lives

	Clock func() time.Time
	// Rand makes secrets: crypto/rand.Reader outside of tests.
	Rand io.Reader
	// Logger is nil where nothing is to be logged.
	Logger *slog.Logger
	// Retention is how old an event may be when it comes in, 0 for no bound.
	Retention time.Duration
	// SecureCookies marks cookies Secure although the request came in as plain
	// HTTP: the server stands behind a proxy that speaks HTTPS.
	SecureCookies bool
	// TrustedProxies may name the client's address in X-Forwarded-For and its
	// protocol in X-Forwarded-Proto.
	TrustedProxies []netip.Prefix
	// PublicURL is how tracking addresses reach this server; "" is as those who
	// ask for them did.
	PublicURL string
	// BodyTiming is how long callers may take to send a body.
	BodyTiming BodyTiming
	// Memory is what the process may use, in bytes, from which the bounds of
	// what requests hold follow; 0 means 1 GiB.
	Memory int64
	// Processors are how many there are for it; 0 means as many as the runtime uses.
	Processors int
	// MemoryWait is how long a request waits for memory; 0 means 2 s.
	MemoryWait time.Duration
	// SocketPatience is how long a socket waits that is opened too soon; 0 means 5 s.
	SocketPatience time.Duration
	// Version is shown in the OpenAPI document.
	Version string
}

// Server is the HTTP contract.
type Server struct {
	Config
	keys      *account.Keys
	sessions  *account.Sessions
	directory *account.Directory
	traffic   *traffic
	rejected  *rejectedRequests
	grants    *account.Grants
	mailing   *mailing
	vouching  *vouching
	searches  *account.Searches
	// zones are the callers', as their settings say.
	zones *zones
	// erasedPolicy says who refuses erased people.
	erasedPolicy *erasedPolicy
	followups    *account.FollowUps
	scanners     *account.Scanners
	invited      *account.Invitations
	opened       opened
	limits       *limits
	failures     *failures
	forwarded    forwarded
	// endpointTests are by workspace.
	endpointTests *limit.Buckets[string]
	addresses     *account.SessionAddresses
	linkKeys      *linkKeys
	bodies        bodies
	metrics       *metrics
	refusals      *refusals
	engine        *gin.Engine
	// forgot is when what had ended was let go; of Watch alone.
	forgot time.Time
	// exporting are the exports that are under way.
	exporting exporting
}

// New makes a Server.
func New(config Config) (*Server, error) {
	if config.Intake == nil || config.Feed == nil || config.Suggester == nil || config.Contacts == nil || config.Reports == nil || config.Records == nil || config.DeadLetters == nil ||
		config.Weeks == nil || config.Eraser == nil || config.Verdicts == nil || config.Rand == nil {
		return nil, errors.New("api: a dependency is missing")
	}
	if config.Clock == nil {
		config.Clock = time.Now
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Metrics == nil {
		config.Metrics = prometheus.NewRegistry()
	}
	if config.Outbound == nil {
		config.Outbound = outbound.New(outbound.Allow{})
	}
	if config.Hooks == nil {
		config.Hooks = hooks.New(config.Outbound.HTTP(), nil)
	}
	config.Records = Recorded(config.Records, config.Audit)
	if config.Directory == nil {
		config.Directory = account.NewDirectory(config.Records, config.Clock)
	}
	keys := account.NewKeys(config.Records, config.Clock, config.Rand)
	keys.Heed(config.Directory)
	if config.Memory == 0 {
		config.Memory = defaultMemory
	}
	if config.Processors == 0 {
		config.Processors = runtime.GOMAXPROCS(0)
	}
	s := &Server{
		bodies: bodies{budget: newBudget(limit.Memory(config.Memory).Bodies(), config.MemoryWait)},
		Config: config, keys: keys, directory: config.Directory,
		traffic: newTraffic(), rejected: newRejectedRequests(config.Records, config.Clock),
		sessions:     account.NewSessions(config.Records, keys, config.Directory, config.Lives, config.Clock, config.Rand),
		grants:       account.NewGrants(config.Records, config.Clock, config.Rand),
		searches:     account.NewSearches(config.Records, config.Clock),
		zones:        newZones(config.Records, config.Clock),
		erasedPolicy: newErasedPolicy(config),
		linkKeys:     newLinkKeys(config),
		followups:    account.NewFollowUps(config.Records, config.Clock),
		scanners:     account.NewScanners(config.Records),
		invited:      account.NewInvitations(config.Records, config.Directory, config.Clock, config.Rand),
		addresses:    account.NewSessionAddresses(config.Records, config.Clock),
		limits:       newLimits(config.Memory, config.Processors, config.Clock),
		refusals:     newRefusals(config.Clock),
		exporting:    exporting{most: limit.Memory(config.Memory).Exports()},
	}
	s.mailing = newMailing(config)
	s.vouching = newVouching(config, s.directory, s.invited)
	var err error
	s.failures = newFailures(config.Clock)
	s.endpointTests = limit.NewBuckets[string](testRate, limitsKept, config.Clock)
	if s.metrics, err = newMetrics(config.Metrics); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	if err := s.route(); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	return s, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	paced(s.engine, s.BodyTiming, w, r)
}

// route sets the router up.
func (s *Server) route() error {
	useProblems()
	gin.SetMode(gin.ReleaseMode)
	s.engine = gin.New()
	s.engine.HandleMethodNotAllowed = true
	s.engine.RedirectTrailingSlash = false
	// Ids in paths may hold an encoded slash. gin would decode a plus as a
	// space, so the handlers decode what they take (see pathText).
	s.engine.UseEscapedPath = true
	s.engine.UnescapePathValues = false
	s.engine.Use(s.observe, secure)
	s.engine.NoRoute(s.noRoute)
	s.engine.NoMethod(func(c *gin.Context) {
		problem(http.StatusMethodNotAllowed, "this takes "+c.Writer.Header().Get("Allow")).write(c.Writer)
	})

	docs := humagin.New(s.engine, humaConfig(s.Version))
	s.eventRoutes(docs)
	s.feedRoutes(docs)
	s.contactRoutes(docs)
	s.notifyRoutes(docs)
	s.pushRoutes(docs)
	s.suggestRoutes(docs)
	s.hookRoutes(docs)
	s.sourceRoutes(docs)
	s.endpointRoutes(docs)
	s.rejectedRoutes(docs)
	s.tryRoutes(docs)
	s.reportRoutes(docs)
	s.searchRoutes(docs)
	s.followUpRoutes(docs)
	s.verdictRoutes(docs)
	s.scannerRoutes(docs)
	s.linkRoutes(docs)
	s.deadLetterRoutes(docs)
	s.deadGroupRoutes(docs)
	s.keyRoutes(docs)
	s.directoryRoutes(docs)
	s.invitationRoutes(docs)
	s.sessionRoutes(docs)
	s.settingsRoutes(docs)
	s.embedRoutes(docs)
	s.personRoutes(docs)
	s.sampleRoutes(docs)
	s.auditRoutes(docs)
	s.mailRoutes(docs)
	s.signInRoutes(docs)
	s.providerRoutes(docs)
	s.healthRoutes(docs)
	s.liveRoutes(docs)
	if err := s.trackingRoutes(); err != nil {
		return err
	}
	return s.documentRoutes(docs)
}

func humaConfig(version string) huma.Config {
	if version == "" {
		version = "0"
	}
	config := huma.DefaultConfig("Tidings", version)
	config.Info.Description = "Activity of e-mail: taken in as events, read as a feed."
	for _, group := range []string{"Events", "Feed", "Live", "Notifications", "Session", "Providers", "Settings", "Directory", "Keys", "Audit", "Sources", "Endpoints", "Scanners", "Tracking", "Dead letters", "Operation"} {
		config.Tags = append(config.Tags, &huma.Tag{Name: group})
	}
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", nameSchema)
	config.RejectUnknownQueryParameters = true
	// huma looks for the writer of application/problem+json under json.
	format := huma.Format{Marshal: writeJSON, Unmarshal: refuseBody}
	config.Formats = map[string]huma.Format{typeJSON: format, "json": format}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key":     {Type: "http", Scheme: "bearer", Description: "A key: Authorization: Bearer tid_…"},
		"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "A browser's session; writes repeat its CSRF token in " + csrfHeader + "."},
	}
	return config
}

// noRoute gives pages to the application and a problem to everyone else.
func (s *Server) noRoute(c *gin.Context) {
	reading := c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead
	if s.Web != nil && reading && !isAPI(c.Request.URL.Path) {
		c.Writer.Header().Del("Cache-Control")
		// gin has set 404, for when nothing is written.
		c.Status(http.StatusOK)
		if c.Request.URL.Path == embedPath {
			s.frame(c.Writer, c.Request)
			return
		}
		s.Web.ServeHTTP(c.Writer, c.Request)
		return
	}
	problem(http.StatusNotFound, "not found").write(c.Writer)
}
