//! The command lines that lead to a machine.
//!
//! Session Manager needs no key, no public address and no open port; who may come in is a matter of IAM. With a key
//! ssh runs inside of it, so that files can be copied and ports forwarded as people know it.
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-getting-started-enable-ssh-connections.html>

/// How the AWS CLI is to be called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsCli {
    /// The region.
    pub region: String,
    /// The profile.
    pub profile: Option<String>,
}

/// By which door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Door {
    /// ssh to this address.
    Address(String),
    /// ssh inside a session of Session Manager.
    SshInSession,
    /// A session of Session Manager.
    Session,
}

/// A way to a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The instance's id.
    pub instance: String,
    /// The user that ssh logs in as.
    pub user: String,
    /// A private key for ssh; none: ssh finds one.
    pub identity: Option<String>,
    /// By which door.
    pub door: Door,
    /// For Session Manager.
    pub aws: AwsCli,
}

impl Route {
    /// The words of a shell on the machine, or of a command there. As with ssh, the machine's shell sees the words of
    /// the command with blanks between them.
    pub fn words(&self, command: &[String]) -> Vec<String> {
        match &self.door {
            Door::Session if command.is_empty() => self.session(None),
            Door::Session => self.session(Some((
                "AWS-StartNonInteractiveCommand",
                serde_json::json!({ "command": [command.join(" ")] }).to_string(),
            ))),
            Door::Address(address) => self.ssh(address, &[], command),
            Door::SshInSession => {
                let proxy = self.session(Some(("AWS-StartSSHSession", "portNumber=%p".to_owned())));
                // IAM and Session Manager say which machine it is, so a first key may be believed; another one never.
                let options =
                    [format!("ProxyCommand={}", shell_words(&proxy)), "StrictHostKeyChecking=accept-new".into()];
                self.ssh(&self.instance, &options, command)
            }
        }
    }

    /// The words of a tunnel: a port here leads to a port there.
    pub fn tunnel(&self, here: u16, there: u32) -> Vec<String> {
        let parameters = format!("portNumber={there},localPortNumber={here}");
        self.session(Some(("AWS-StartPortForwardingSession", parameters)))
    }

    /// Host keys are kept by instance: addresses come back with other machines behind them.
    fn ssh(&self, host: &str, options: &[String], command: &[String]) -> Vec<String> {
        let mut words = vec!["ssh".to_owned()];
        let alias = [format!("HostKeyAlias={}", self.instance), "CheckHostIP=no".to_owned()];
        words.extend(alias.iter().chain(options).flat_map(|option| ["-o".to_owned(), option.clone()]));
        words.extend(self.identity.iter().flat_map(|file| ["-i".to_owned(), file.clone()]));
        words.push(format!("{}@{host}", self.user));
        if !command.is_empty() {
            words.push("--".to_owned());
            words.extend(command.iter().cloned());
        }
        words
    }

    fn session(&self, document: Option<(&str, String)>) -> Vec<String> {
        let mut words: Vec<String> =
            ["aws", "ssm", "start-session", "--target", &self.instance].map(str::to_owned).to_vec();
        if let Some((name, parameters)) = document {
            words.extend(["--document-name".to_owned(), name.to_owned(), "--parameters".to_owned(), parameters]);
        }
        words.extend(["--region".to_owned(), self.aws.region.clone()]);
        words.extend(self.aws.profile.iter().flat_map(|name| ["--profile".to_owned(), name.clone()]));
        words
    }
}

/// Words as a line for a shell.
pub fn shell_words(words: &[String]) -> String {
    let quote = |word: &String| {
        let plain = |char: char| char.is_ascii_alphanumeric() || "_-./:@%+,=".contains(char);
        let as_is = !word.is_empty() && word.chars().all(plain);
        if as_is { word.clone() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(door: Door) -> Route {
        let aws = AwsCli { region: "eu-west-1".to_owned(), profile: Some("hpc".to_owned()) };
        Route { instance: "i-0abc".to_owned(), user: "ubuntu".to_owned(), identity: None, door, aws }
    }

    fn line(door: Door, command: &[&str]) -> String {
        shell_words(&route(door).words(&command.iter().map(ToString::to_string).collect::<Vec<_>>()))
    }

    #[test]
    fn every_door_has_its_line() {
        assert_eq!(line(Door::Session, &[]), "aws ssm start-session --target i-0abc --region eu-west-1 --profile hpc");
        assert_eq!(
            line(Door::Session, &["sinfo", "-p", "cfd"]),
            "aws ssm start-session --target i-0abc --document-name AWS-StartNonInteractiveCommand \
             --parameters '{\"command\":[\"sinfo -p cfd\"]}' --region eu-west-1 --profile hpc"
        );
        assert_eq!(
            line(Door::Address("198.51.100.7".to_owned()), &["squeue"]),
            "ssh -o HostKeyAlias=i-0abc -o CheckHostIP=no ubuntu@198.51.100.7 -- squeue"
        );
        assert_eq!(
            line(Door::SshInSession, &[]),
            "ssh -o HostKeyAlias=i-0abc -o CheckHostIP=no -o 'ProxyCommand=aws ssm start-session --target i-0abc \
             --document-name AWS-StartSSHSession --parameters portNumber=%p --region eu-west-1 --profile hpc' \
             -o StrictHostKeyChecking=accept-new ubuntu@i-0abc"
        );
        assert_eq!(
            shell_words(&route(Door::Session).tunnel(18443, 8443)),
            "aws ssm start-session --target i-0abc --document-name AWS-StartPortForwardingSession \
             --parameters portNumber=8443,localPortNumber=18443 --region eu-west-1 --profile hpc"
        );
    }

    #[test]
    fn words_survive_the_shell() {
        let words = ["it's", "", "a b", "$HOME"].map(str::to_owned);
        assert_eq!(shell_words(&words), r#"'it'\''s' '' 'a b' '$HOME'"#);
    }
}
