package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

const (
	microsoftGraph = "https://graph.microsoft.com"
	// graphPages bounds the answers that are read of it, of up to 500 groups each.
	graphPages = 20
)

// microsofts are the hosts of Microsoft's issuers that Graph belongs to.
var microsofts = []string{"login.microsoftonline.com", "sts.windows.net"}

// fromGraph asks Microsoft Graph for somebody's groups, which a token leaves out where
// there are more than 200. The client needs GroupMember.Read.All for it, and asks for it as a scope.
func (s *SignIns) fromGraph(ctx context.Context, remote *remote, site Site, token *oauth2.Token) ([]string, error) {
	issuer, err := url.Parse(site.Issuer)
	if err != nil {
		return nil, err
	}
	known := s.graph != microsoftGraph
	for _, host := range microsofts {
		known = known || issuer.Host == host
	}
	if !known || token.AccessToken == "" {
		return nil, errors.New("the provider tells groups in no way that is known")
	}
	var groups []string
	next := s.graph + "/v1.0/me/transitiveMemberOf/microsoft.graph.group?$count=true&$select=id&$top=500"
	for range graphPages {
		var page struct {
			Value []struct{ ID string } `json:"value"`
			Next  string                `json:"@odata.nextLink"`
		}
		if err := getJSON(ctx, remote.client, next, token.AccessToken, &page); err != nil {
			return nil, err
		}
		for _, group := range page.Value {
			groups = append(groups, group.ID)
		}
		if page.Next == "" {
			return groups, nil
		}
		if !strings.HasPrefix(page.Next, s.graph+"/") {
			return nil, errors.New("the next page of groups is somewhere else")
		}
		next = page.Next
	}
	return nil, errors.New("there are more than 10,000 groups")
}

func getJSON(ctx context.Context, client *http.Client, address, bearer string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	// Graph lists objects of one kind by its index alone, which $count and this ask for.
	request.Header.Set("ConsistencyLevel", "eventual")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
