//! The GraphQL texts. A test checks each against GitHub's own schema.

/// What there is on GitHub about a case.
pub(super) const STATE: &str = r"
query FailfirstState($owner: String!, $repo: String!, $number: Int!, $branch: String!, $other: String!,
    $ref: String!, $otherRef: String!) {
  viewer { login }
  repository(owner: $owner, name: $repo) {
    nameWithOwner
    isArchived
    defaultBranchRef { name }
    issueOrPullRequest(number: $number) {
      __typename
      ... on Issue { ...IssueParts }
      ... on PullRequest { ...PullParts }
    }
    ref(qualifiedName: $ref) { ...Tip }
    otherRef: ref(qualifiedName: $otherRef) { ...Tip }
    pulls: pullRequests(headRefName: $branch, first: 10, orderBy: {field: CREATED_AT, direction: DESC}) {
      nodes { ...PullParts }
    }
    otherPulls: pullRequests(headRefName: $other, first: 10, orderBy: {field: CREATED_AT, direction: DESC}) {
      nodes { ...PullParts }
    }
  }
}
fragment Tip on Ref {
  target {
    __typename
    oid
    ... on Commit { history(first: 3) { nodes { oid tree { oid } } } }
  }
}
fragment CommentParts on IssueCommentConnection {
  pageInfo { hasPreviousPage startCursor }
  nodes { databaseId viewerDidAuthor body }
}
fragment IssueParts on Issue {
  id
  number
  state
  labels(first: 100) { nodes { name } }
  comments(last: 100) { ...CommentParts }
}
fragment PullParts on PullRequest {
  id
  number
  pullState: state
  isDraft
  title
  body
  viewerDidAuthor
  isCrossRepository
  headRefOid
  baseRefName
  labels(first: 100) { nodes { name } }
  comments(last: 100) { ...CommentParts }
  reviews(last: 100) { nodes { databaseId viewerDidAuthor body } }
}
";

/// Older comments.
pub(super) const COMMENTS: &str = r"
query FailfirstComments($id: ID!, $before: String!) {
  node(id: $id) {
    __typename
    ... on Issue { comments(last: 100, before: $before) { ...CommentParts } }
    ... on PullRequest { comments(last: 100, before: $before) { ...CommentParts } }
  }
}
fragment CommentParts on IssueCommentConnection {
  pageInfo { hasPreviousPage startCursor }
  nodes { databaseId viewerDidAuthor body }
}
";

/// A commit upon a branch that is still where it was.
pub(super) const COMMIT: &str = r"
mutation FailfirstCommit($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid tree { oid } } }
}
";
