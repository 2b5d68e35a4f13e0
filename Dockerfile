# One image for every process: `api` (the default), `worker`, `simulator`, `db:migrate`, `db:bootstrap`, `operator-key`,
# `billing:import`, `billing:close`.
#
# The base is pinned by tag. A digest would be stricter and is what a release should use, but it has to be read from a
# registry at the time of the release: docker build --build-arg NODE_IMAGE=node:24-slim@sha256:<digest> .
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# The embedded PostgreSQL is for development machines; here it would only make the image bigger.
RUN npm install --include=dev --omit=optional --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json nest-cli.json ./
COPY apps apps
COPY libs libs
COPY migrations migrations
COPY tools tools
RUN npm run build && npm prune --omit=dev --omit=optional --no-audit --no-fund

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
# Owned by root and run by another user: the program cannot change itself. It also runs with a read-only root
# (docker run --read-only); only the folders of RECORDER_DIR and SIMULATOR_DATA_DIR must be writable volumes.
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY --from=build /build/migrations/bootstrap.sql migrations/bootstrap.sql
# The pages that the api serves behind every docsUrl.
COPY docs/errors docs/errors
COPY --chmod=0755 tools/container-entry.sh /usr/local/bin/postfleet
RUN install -d -o node -g node /var/lib/postfleet/recorder /var/lib/postfleet/simulator
USER node
ENV RECORDER_DIR=/var/lib/postfleet/recorder SIMULATOR_DATA_DIR=/var/lib/postfleet/simulator
EXPOSE 3000 3001 4566 4567
ENTRYPOINT ["postfleet"]
CMD ["api"]
