# The binary alone, on a base without a shell: non-root, and nothing is written
# but to what --data names.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -tags nomsgpack,grpcnotrace -ldflags=-s -o /tidings .

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /tidings /tidings
USER nonroot:nonroot
EXPOSE 8080
ENTRYPOINT ["/tidings"]
CMD ["--help"]
